import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { freePort, retryTakenPort } from '../ports.ts'
import { firstHost } from './can-connect.ts'

export interface MongoProxy extends AsyncDisposable {
  /** The database behind it, as seen through it. */
  readonly url: string
  /** As if the server died: connections break, new ones are refused. */
  refuse(): Promise<void>
  /** Requests arrive, but no answer comes back. */
  mute(): void
  /** Passes everything again; what was muted stays lost, so connections of that time break. */
  restore(): Promise<void>
}

/** A proxy on loopback in front of the MongoDB at the URL, to be cut off from it at will. */
export async function startMongoProxy(url: string): Promise<MongoProxy> {
  const target = firstHost(url)
  const sockets = new Set<Socket>()
  let muted = false
  const port = await freePort()
  let server = await retryTakenPort(() => listen(port, serve))

  function serve(client: Socket): void {
    const upstream = connect(target)
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
    client.on('data', (chunk) => void upstream.write(chunk))
    upstream.on('data', (chunk) => {
      if (!muted) client.write(chunk)
    })
  }

  function breakConnections(): void {
    for (const socket of sockets) socket.destroy()
  }

  async function refuse(): Promise<void> {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    breakConnections()
    await closed
  }

  return {
    url: proxied(url, port),
    refuse,
    mute() {
      muted = true
    },
    async restore() {
      if (muted) breakConnections()
      muted = false
      if (!server.listening) server = await retryTakenPort(() => listen(port, serve))
    },
    [Symbol.asyncDispose]: refuse,
  }
}

async function listen(port: number, serve: (client: Socket) => void): Promise<Server | 'port-taken'> {
  const server = createServer(serve)
  server.listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
    return server
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return 'port-taken'
    throw error
  }
}

/** Told to keep to this address: a replica set would name its own. */
function proxied(url: string, port: number): string {
  const [, login = '', database, options = ''] = /^mongodb:\/\/([^@/]*@)?[^/]+\/([^?]*)\??(.*)$/.exec(url) ?? []
  const kept = new URLSearchParams(options)
  kept.delete('replicaSet')
  kept.set('directConnection', 'true')
  return `mongodb://${login}127.0.0.1:${port}/${database}?${kept}`
}
