/** Passes TCP connections on, port by port: LISTEN_HOST TARGET_HOST PORT… Prints `relaying` when all ports listen. */
import { connect, createServer } from 'node:net'
import { pipeline } from 'node:stream'

const [, , listenHost, targetHost, ...ports] = process.argv
await Promise.all(
  ports.map((port) => {
    const server = createServer((client) => {
      const target = connect(Number(port), targetHost)
      pipeline(client, target, () => {})
      pipeline(target, client, () => {})
    })
    return new Promise<void>((resolve) => server.listen(Number(port), listenHost, resolve))
  }),
)
console.log('relaying')
