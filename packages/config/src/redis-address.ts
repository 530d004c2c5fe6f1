import { z } from 'zod'

/** Where Redis is, its password in the clear. */
export interface RedisAddress {
  readonly host: string
  readonly port: number
  readonly username: string | undefined
  readonly password: string | undefined
  readonly db: number
  readonly tls: boolean
}

export const DEFAULT_REDIS_PORT = 6379

/** `redis://[user:password@]host[:port][/db]`, `rediss://` with TLS. */
export function redisUrl() {
  const form = 'an address like redis://user:password@host:6379/0 (rediss:// with TLS)'
  return z
    .string()
    .transform((value, context) => {
      const address = parseRedisUrl(value)
      if (address !== null) return address
      context.addIssue({ code: 'custom', message: `must be ${form}` })
      return z.NEVER
    })
    .describe(form)
}

function parseRedisUrl(value: string): RedisAddress | null {
  const url = URL.parse(value)
  const db = /^\/?(\d{0,4})$/.exec(url?.pathname ?? '')?.[1]
  if (url === null || !/^rediss?:$/.test(url.protocol) || url.hostname === '' || db === undefined) return null
  if (url.search !== '' || url.hash !== '') return null
  try {
    return {
      // Node connects to a bare IPv6 address.
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port === '' ? DEFAULT_REDIS_PORT : Number(url.port),
      username: decodeURIComponent(url.username) || undefined,
      password: decodeURIComponent(url.password) || undefined,
      db: Number(db),
      tls: url.protocol === 'rediss:',
    }
  } catch {
    return null // a percent sign that encodes nothing
  }
}
