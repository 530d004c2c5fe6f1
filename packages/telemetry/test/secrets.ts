import { randomBytes } from 'node:crypto'

/** Letters and digits that nothing else in a log line holds. */
function random(length: number): string {
  return randomBytes(length).toString('hex').slice(0, length)
}

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function jwt(): string {
  const header = base64url({ typ: 'refresh+jwt', alg: 'ES256K' })
  return `${header}.${base64url({ sub: 'did:plc:abc', jti: random(32) })}.${randomBytes(64).toString('base64url')}`
}

/** A text as it might be logged, and the part of it that must not appear. */
export interface Planted {
  readonly text: string
  readonly secret: string
}

function planted(secret: string, around: (secret: string) => string = (it) => it): Planted {
  return { secret, text: around(secret) }
}

/** Every form of secret, made anew at each call. */
export const SECRET_FORMS: Record<string, () => Planted> = {
  'a JWT': () => planted(jwt()),
  'a JWT inside of words': () => planted(jwt(), (it) => `token <${it}>, expired`),
  'a JWT cut short': () => planted(jwt().slice(0, 60)),
  'a bearer token': () => planted(random(24), (it) => `sent authorization Bearer ${it}`),
  'a bearer token, other spelling': () => planted(random(24), (it) => `bearer\t${it}`),
  'a Facebook token': () => planted(`EAAB${random(160)}ZDZD`),
  'an Instagram token': () => planted(`IGAA${random(120)}`),
  'a Threads token': () => planted(`THAA${random(120)}`),
  'an app token': () => planted(`1234567890123|${random(27)}`),
  'a token at the start of a line': () => planted(`EAAB${random(160)}`, (it) => `the provider said:\n${it}`),
  'a sealed value': () => planted(randomBytes(80).toString('base64url'), (it) => `v1.key-1.${it}`),
  'an API key': () => planted(randomBytes(32).toString('base64url'), (it) => `sent tk_${random(24)}_${it} to x`),
  'an encryption key': () => planted(randomBytes(32).toString('base64'), (it) => `keys k1:${it},k2:${it}`),
  'an app password': () => planted('abcd-efgh-2345-wxyz'),
  'credentials in a URL': () => planted(random(16), (it) => `redis://user:${it}@db.example:6379/0`),
  'a password with marks in a URL': () =>
    planted(`${random(8)}/@:${random(8)}`, (it) => `mongodb://u:${it}@db.example`),
  'a user name in a URL': () => planted(random(16), (it) => `https://${it}@pds.example/xrpc`),
  'a header line': () => planted(`Basic ${random(16)}`, (it) => `POST / HTTP/1.1\r\nAuthorization: ${it}\r\nHost: x`),
  'a cookie line': () => planted(`sid=${random(8)}; theme=${random(6)}`, (it) => `Cookie: ${it}`),
  'JSON in a text': () => planted(random(16), (it) => `got ${JSON.stringify({ accessJwt: it, handle: 'a.test' })}`),
  'JSON in JSON in a text': () => planted(random(16), (it) => JSON.stringify(JSON.stringify({ password: it }))),
  'JSON with quotes in the value': () => planted(`${random(8)}"${random(8)}`, (it) => JSON.stringify({ password: it })),
  'an inspected object': () => planted(random(16), (it) => `{ appPassword: '${it}' }`),
  'an environment line': () => planted(random(16), (it) => `REDIS_PASSWORD=${it}`),
  'a percent-encoded redirect': () => planted(random(24), (it) => `?next=https%3A%2F%2Fx%2Fcb%3Fcode%3D${it}%26a%3D1`),
  ...Object.fromEntries(
    [
      'access_token',
      'client_secret',
      'fb_exchange_token',
      'input_token',
      'code',
      'appsecret_proof',
      'signed_request',
      'refresh_token',
    ].map((name) => [
      `the parameter ${name}`,
      () => planted(random(24), (it) => `GET https://graph.example/me?fields=id&${name}=${it}&limit=5 failed`),
    ]),
  ),
}

/** Field names whose value is secret, whatever it looks like. */
export const SECRET_FIELDS = [
  'token',
  'accessToken',
  'access_token',
  'refreshToken',
  'accessJwt',
  'refreshJwt',
  'password',
  'appPassword',
  'REDIS_PASSWORD',
  'sealedAppPassword',
  'authorization',
  'Proxy-Authorization',
  'cookie',
  'Set-Cookie',
  'credential',
  'sealedCredential',
  'previousCredential',
  'clientSecret',
  'appsecret_proof',
  'x-api-key',
  'privateKey',
  'TOKEN_ENCRYPTION_KEYS',
  'signed_request',
]
