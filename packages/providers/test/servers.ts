import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net'

export interface TestServer extends AsyncDisposable {
  readonly port: number
  readonly url: string
  /** `POST /path` of each request, in order. */
  readonly requests: readonly string[]
  readonly headers: readonly IncomingMessage['headers'][]
}

/** An HTTP server on loopback. */
export async function serve(handler: RequestListener): Promise<TestServer> {
  const requests: string[] = []
  const headers: IncomingMessage['headers'][] = []
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`)
    headers.push(request.headers)
    handler(request, response)
  })
  return { ...(await listen(server)), requests, headers, [Symbol.asyncDispose]: () => close(server) }
}

/** A server that answers each JSON body with its status, and these headers. */
export function serveJson(status: number, body: unknown, headers: Record<string, string> = {}): Promise<TestServer> {
  return serve((_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
  })
}

/** A TCP server on loopback: what HTTP servers never do. */
export async function serveTcp(handler: (socket: Socket) => void): Promise<Omit<TestServer, 'requests' | 'headers'>> {
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    handler(socket)
  })
  const dispose = async () => {
    for (const socket of sockets) socket.destroy()
    await close(server)
  }
  return { ...(await listen(server)), [Symbol.asyncDispose]: dispose }
}

async function listen(server: TcpServer) {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { port, url: `http://127.0.0.1:${port}` }
}

async function close(server: TcpServer | Server): Promise<void> {
  if ('closeAllConnections' in server) server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}

/** A JWT that decodes; nobody signed it. */
export function fakeJwt(claims: object): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  return `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}.c2lnbmF0dXJl`
}
