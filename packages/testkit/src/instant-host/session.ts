const HOUR_S = 3_600
const DAY_S = 24 * HOUR_S
/** As long as the signature of an ES256K token. */
const SIGNATURE = 's'.repeat(86)

/** Who issues the tokens of an instant host. */
export const INSTANT_ISSUER = 'did:web:localhost'

/** A session of the account, in the form and length that a PDS gives it; `count` is how many there have been. */
export function instantSession(did: string, count: number, now = Date.now()) {
  const iat = Math.floor(now / 1_000)
  const claims = { sub: did, aud: INSTANT_ISSUER, iat }
  return {
    did,
    handle: 'instant.test',
    accessJwt: jwt({ ...claims, scope: 'com.atproto.access', exp: iat + 2 * HOUR_S }),
    refreshJwt: jwt({ ...claims, scope: 'com.atproto.refresh', exp: iat + 90 * DAY_S, jti: String(count) }),
    active: true,
  }
}

function jwt(claims: object): string {
  return `${encode({ typ: 'JWT', alg: 'ES256K' })}.${encode(claims)}.${SIGNATURE}`
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
