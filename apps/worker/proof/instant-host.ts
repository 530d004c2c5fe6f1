/**
 * A host that answers refreshSession at once, for runs whose size no real PDS would bear on one machine. The refresh
 * token names its account (`sub`) and counts (`jti`); the successor counts one more. Prints its URL as the first line.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const HOUR_S = 3_600

export function sessionOf(did: string, count: number, now = Date.now()) {
  const seconds = Math.floor(now / 1_000)
  return {
    did,
    handle: 'instant.test',
    accessJwt: jwt({ sub: did, exp: seconds + 2 * HOUR_S }),
    refreshJwt: jwt({ sub: did, jti: String(count), exp: seconds + 90 * 24 * HOUR_S, aud: 'did:web:localhost' }),
  }
}

function jwt(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'none' })}.${part(claims)}.sig`
}

if (import.meta.main) {
  const server = createServer((request, response) => {
    const token = request.headers.authorization?.split('.')[1] ?? ''
    const { sub, jti } = JSON.parse(Buffer.from(token, 'base64url').toString()) as { sub: string; jti: string }
    request.resume()
    response.setHeader('content-type', 'application/json').end(JSON.stringify(sessionOf(sub, Number(jti) + 1)))
  })
  server.listen(0, '127.0.0.1', () => console.log(`http://localhost:${(server.address() as AddressInfo).port}`))
}
