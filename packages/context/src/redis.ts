import type { RedisConfig } from '@tokenkeeper/config'
import type { RedisAddress } from '@tokenkeeper/queue'

const LOCAL: RedisAddress = { host: '127.0.0.1', port: 6379 }

/** Where Redis is, in the words of its client; the local one where nothing is said. */
export function redisAddress(redis: RedisConfig | undefined): RedisAddress {
  if (redis === undefined) return LOCAL
  const { host, port, db, username, password, tls, ca } = redis
  return {
    host,
    port,
    db,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password: password.reveal() }),
    ...(tls && { tls: ca === undefined ? {} : { ca } }),
  }
}
