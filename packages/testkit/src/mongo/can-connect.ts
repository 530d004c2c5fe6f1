import { connect } from 'node:net'

/** Whether something listens at the first host that the URI names. */
export function canConnect(uri: string): Promise<boolean> {
  const { host, port } = firstHost(uri)
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1_000 })
    const settle = (connected: boolean) => {
      socket.destroy()
      resolve(connected)
    }
    socket.once('connect', () => settle(true))
    socket.once('error', () => settle(false))
    socket.once('timeout', () => settle(false))
  })
}

/** The first host that a mongodb:// URI names. */
export function firstHost(uri: string): { host: string; port: number } {
  const [, host, port = '27017'] = /^mongodb:\/\/(?:[^@/]*@)?([^:/,?]+)(?::(\d+))?/.exec(uri) ?? []
  if (host === undefined) throw new Error('The URI names no host')
  return { host, port: Number(port) }
}
