import { randomBytes } from 'node:crypto'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type RedisServer, startRedis, tempDir } from '@tokenkeeper/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ENTRY, startService } from './deployed.ts'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis[Symbol.asyncDispose]())

const makeKey = () => randomBytes(32).toString('hex')

/** As a secrets manager does: adds secrets to the environment, and becomes the command. */
const doppler = (secrets: Readonly<Record<string, string>>) => `#!/bin/sh
[ "$1 $2" = "run --" ] || exit 64
shift 2
exec env ${Object.entries(secrets)
  .map(([name, value]) => `'${name}=${value}'`)
  .join(' ')} "$@"
`

test('`doppler run -- tokenkeeper serve` serves with the secrets of the environment, whatever .env says', async () => {
  await using dir = await tempDir()
  const [given, inFile] = [makeKey(), makeKey()]
  const secrets = {
    ADMIN_API_KEY: given,
    REDIS_URL: redis.url,
    TOKEN_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
  }
  const place = join(dir.path, 'place')
  const path = join(dir.path, 'path')
  for (const each of [place, path]) mkdirSync(each)
  writeFileSync(join(place, '.env'), `ADMIN_API_KEY=${inFile}\nREDIS_URL=redis://127.0.0.1:1\nAPI_PORT=0\n`)
  writeFileSync(join(path, 'doppler'), doppler(secrets), { mode: 0o755 })
  symlinkSync(ENTRY, join(path, 'tokenkeeper'))

  const env = { PATH: `${path}:/usr/bin:/bin`, NODE_ENV: 'production', QUEUE_PREFIX: `{${dir.path.split('-').at(-1)}}` }
  const command = ['/bin/sh', '-c', 'exec doppler run -- tokenkeeper serve'] as const
  await using service = startService({ command, env, cwd: place })
  const [, url] = await service.waitForLine(/API is ready at (http:[^"\s]+)/)
  const statusWith = async (key: string) => {
    const headers = { authorization: `Bearer ${key}` }
    return (await fetch(`${url}/api/admin/runs/${'0'.repeat(24)}`, { headers })).status
  }
  expect(await statusWith(inFile)).toBe(401)
  expect(await statusWith(given)).toBe(404)
  expect(await service.stop()).toBe(0)
})

test('without the API, `serve` tells at HEALTH_PORT how it is', async () => {
  await using dir = await tempDir()
  const env = { PATH: '/usr/bin:/bin', REDIS_URL: redis.url, HEALTH_PORT: '0', QUEUE_PREFIX: '{no-api}' }
  await using service = startService({ command: [ENTRY, 'serve', '--no-api'], env, cwd: dir.path })
  const [, url] = await service.waitForLine(/health is served.*?(http:\/\/[\d.:]+)/s)
  const ready = await fetch(`${url}/readyz`)
  expect(await ready.json()).toEqual({ status: 'ready', store: 'ok', redis: 'ok' })
  expect(await service.stop()).toBe(0)
})
