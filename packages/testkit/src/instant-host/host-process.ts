/**
 * A host that answers refreshSession and createSession after its first argument's ms. The refresh token names its
 * account (`sub`) and counts (`jti`); the successor counts one more. Prints its URL as the first line. Sent a DID, it
 * tells when the next request of that account came.
 */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { instantSession } from './session.ts'

const latencyMs = Number(process.argv[2])
const watched = new Set<string>()
process.on('message', (did: string) => {
  watched.add(did)
  process.send?.({ watching: did })
})

const server = createServer((request, response) => {
  request.resume()
  const session = answerTo(request.headers.authorization)
  if (watched.delete(session.did)) process.send?.({ arrived: session.did, at: process.hrtime.bigint().toString() })
  if (latencyMs === 0) send(response, session)
  else setTimeout(send, latencyMs, response, session)
})

/** Without a token it is a login. */
function answerTo(authorization: string | undefined) {
  if (authorization === undefined) return instantSession('did:plc:login', 1)
  const claims = Buffer.from(authorization.split('.')[1] ?? '', 'base64url').toString()
  const { sub, jti } = JSON.parse(claims) as { sub: string; jti: string }
  return instantSession(sub, Number(jti) + 1)
}

function send(response: ServerResponse, session: object): void {
  response.setHeader('content-type', 'application/json').end(JSON.stringify(session))
}

// Longer than any pause of a caller.
server.keepAliveTimeout = 600_000
server.listen(0, '127.0.0.1', () => console.log(`http://localhost:${(server.address() as AddressInfo).port}`))
