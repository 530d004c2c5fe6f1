import type { Redis } from 'ioredis'

const READ: Readonly<Record<string, (key: Buffer) => [command: string, ...args: (string | Buffer)[]]>> = {
  string: (key) => ['GET', key],
  hash: (key) => ['HGETALL', key],
  list: (key) => ['LRANGE', key, '0', '-1'],
  set: (key) => ['SMEMBERS', key],
  zset: (key) => ['ZRANGE', key, '0', '-1', 'WITHSCORES'],
  stream: (key) => ['XRANGE', key, '-', '+'],
}

/** Every key of the database with its name and all its content as raw bytes. */
export async function* redisValues(redis: Redis): AsyncGenerator<{ key: string; content: Buffer }> {
  let cursor = '0'
  do {
    const [next, keys] = (await redis.callBuffer('SCAN', cursor, 'COUNT', '500')) as [Buffer, Buffer[]]
    cursor = next.toString()
    for (const key of keys) yield { key: key.toString(), content: await contentOf(redis, key) }
  } while (cursor !== '0')
}

async function contentOf(redis: Redis, key: Buffer): Promise<Buffer> {
  const type = String(await redis.call('TYPE', key))
  // Expired since the scan.
  if (type === 'none') return key
  const read = READ[type]
  if (!read) throw new Error(`${key} is of type ${type}, which cannot be searched`)
  return Buffer.concat([key, ...flatten(await redis.callBuffer(...read(key)))])
}

/** Values are parted by a line end, so that two neighbours never look like one secret. */
function flatten(value: unknown): Buffer[] {
  if (Array.isArray(value)) return value.flatMap(flatten)
  return value === null ? [] : [Buffer.from('\n'), value as Buffer]
}
