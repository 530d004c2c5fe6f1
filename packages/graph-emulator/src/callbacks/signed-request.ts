import { createHmac } from 'node:crypto'

/** `signature.payload`, both base64url: HMAC-SHA256 by the app secret, over the encoded payload. */
export function signRequest(payload: Readonly<Record<string, unknown>>, secret: string): string {
  const encoded = Buffer.from(JSON.stringify({ algorithm: 'HMAC-SHA256', ...payload })).toString('base64url')
  const signature = createHmac('sha256', secret).update(encoded).digest('base64url')
  return `${signature}.${encoded}`
}
