import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { describe, expect, test } from 'vitest'
import { createSecretSearch, redisAvailable, startRedis, tempDir } from '../src/index.ts'

const SECRETS = ['eyJ0eXAi.first-one+/=?&ü"x', 'second/secret~with=signs', '>>>third???secret'] as const
const all = createSecretSearch(SECRETS)

describe('text', () => {
  const forms: Record<string, (secret: string) => string | Buffer> = {
    plain: (secret) => `before ${secret} after`,
    'in JSON': (secret) => JSON.stringify({ deep: { token: secret } }),
    'URL-encoded': (secret) => `https://host/?token=${encodeURIComponent(secret)}&x=1`,
    'URL-encoded in lower case': (secret) => encodeURIComponent(secret).replace(/%../g, (part) => part.toLowerCase()),
    hex: (secret) => Buffer.from(`x${secret}y`).toString('hex'),
    'hex in upper case': (secret) => Buffer.from(secret).toString('hex').toUpperCase(),
    'raw bytes': (secret) => Buffer.concat([Buffer.from([0, 255, 254]), Buffer.from(secret), Buffer.from([0])]),
  }
  for (const encoding of ['base64', 'base64url'] as const)
    for (const before of ['', 'a', 'ab', 'abc', 'user:'])
      for (const after of ['', 'z', 'zy'])
        forms[`${encoding} between '${before}' and '${after}'`] = (secret) =>
          Buffer.from(before + secret + after).toString(encoding)

  test.each(Object.entries(forms))('finds a secret %s', (_, plant) => {
    for (const [secretIndex, secret] of SECRETS.entries())
      expect(all.search(plant(secret), 'log')).toEqual([{ where: 'log', secretIndex }])
  })

  test('finds nothing where nothing was planted', () => {
    for (const secret of SECRETS) {
      const almost = secret.slice(0, -2)
      expect(
        all.search(`${almost} ${encodeURIComponent(almost)} ${Buffer.from(almost).toString('hex')}`, 'log'),
      ).toEqual([])
    }
    expect(all.search('', 'log')).toEqual([])
  })

  test('finds several, and never repeats them', () => {
    const findings = all.search(SECRETS.join(' '), 'log')
    expect(findings.map(({ secretIndex }) => secretIndex)).toEqual([0, 1, 2])
    expect(JSON.stringify(findings)).not.toContain('secret/')
  })

  test('refuses secrets that would be found by chance, and an empty list', () => {
    expect(() => createSecretSearch(['short'])).toThrow('under 8 characters')
    expect(() => createSecretSearch([])).toThrow('No secrets')
  })
})

describe('a directory', () => {
  test('finds secrets in files at any depth and in their names', async () => {
    await using dir = await tempDir()
    await mkdir(join(dir.path, 'a/b'), { recursive: true })
    await writeFile(join(dir.path, 'clean.log'), 'nothing here')
    expect(await all.searchDir(dir.path)).toEqual([])
    const binary = join(dir.path, 'a/b/data.db')
    await writeFile(binary, Buffer.concat([Buffer.alloc(100_000, 7), Buffer.from(SECRETS[1]), Buffer.alloc(10)]))
    const named = join(dir.path, 'a', encodeURIComponent(SECRETS[2]))
    await writeFile(named, '')
    const findings = await all.searchDir(dir.path)
    expect(findings).toHaveLength(2)
    expect(findings).toContainEqual({ where: binary, secretIndex: 1 })
    expect(findings).toContainEqual({ where: named, secretIndex: 2 })
  })

  test('a directory that is not there is an error, not a clean result', async () => {
    await expect(all.searchDir('/nowhere/at/all')).rejects.toThrow('ENOENT')
  })
})

describe.runIf(redisAvailable())('Redis', () => {
  test('finds a secret in every type of value, and in the name of a key', async () => {
    await using server = await startRedis()
    await using client = connected(server.url)
    const { redis } = client
    const [first, second] = SECRETS
    await redis.mset(
      Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`clean:${index}`, `value ${index}`])),
    )
    await redis.sadd('clean:ints', 1, 2, 3)
    expect(await all.searchRedis(server.url)).toEqual([])

    await redis.set('string', `a ${first}`)
    await redis.hset('hash', 'field', 'x', 'data', JSON.stringify({ token: second }))
    await redis.hset('hash-field', first, 'x')
    await redis.rpush('list', 'x', `error: ${second}`)
    await redis.sadd('set', 'x', encodeURIComponent(first))
    await redis.zadd('zset', 1, 'x', 2, Buffer.from(second).toString('base64'))
    await redis.xadd('stream', '*', 'event', 'failed', 'failedReason', `bad ${first}`)
    await redis.set(`key:${second}`, 'x')
    await redis.setex('expiring', 1_000, first)

    const findings = await all.searchRedis(server.url)
    expect(findings.toSorted((a, b) => (a.where < b.where ? -1 : 1))).toEqual([
      { where: 'expiring', secretIndex: 0 },
      { where: 'hash', secretIndex: 1 },
      { where: 'hash-field', secretIndex: 0 },
      { where: `key:${second}`, secretIndex: 1 },
      { where: 'list', secretIndex: 1 },
      { where: 'set', secretIndex: 0 },
      { where: 'stream', secretIndex: 0 },
      { where: 'string', secretIndex: 0 },
      { where: 'zset', secretIndex: 1 },
    ])
  })

  test('looks into the database that the URL names', async () => {
    await using server = await startRedis()
    await using client = connected(`${server.url}/3`)
    await client.redis.set('key', SECRETS[0])
    expect(await all.searchRedis(server.url)).toEqual([])
    expect(await all.searchRedis(`${server.url}/3`)).toEqual([{ where: 'key', secretIndex: 0 }])
  })

  test('an unreachable Redis is an error, not a clean result', async () => {
    await expect(all.searchRedis('redis://127.0.0.1:9')).rejects.toThrow()
  })
})

function connected(url: string) {
  const redis = new Redis(url)
  return { redis, [Symbol.asyncDispose]: async () => redis.disconnect() }
}
