import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type RedisServer, redisAvailable, spawnNode, startRedis, tempDir } from '@tokenkeeper/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { lastLine, MAIN, runCli } from './cli.ts'
import { keysIn, pathWithRedis } from './own-redis.ts'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis[Symbol.asyncDispose]())

/** JWTs, app passwords, tokens of Meta, Instagram and Threads, login codes, and the secrets of the emulator's apps. */
const SECRETS =
  /eyJ|\b[a-z2-7]{4}(-[a-z2-7]{4}){3}\b|\b(EAA|IGAA|THAA)[A-Za-z0-9]{20}|\bAQ[\w-]{40}|\d\|[\w-]{20}|\b[0-9a-f]{32}\b/

describe.runIf(redisAvailable())('start --once in the sandbox', () => {
  test('ends with one JSON object in the last line of stdout; two at once do not meet', async () => {
    await using one = await tempDir()
    await using two = await tempDir()
    const runs = await Promise.all(
      [one, two].map(({ path }) =>
        runCli(['start', '--once', '--json', '--sandbox'], {
          cwd: path,
          env: { DATA_DIR: join(path, 'data'), REDIS_URL: redis.url },
        }),
      ),
    )
    for (const { code, stdout, stderr } of runs) {
      expect(stderr).toContain('sandbox')
      expect(JSON.parse(lastLine(stdout))).toEqual({
        run: { total: 70, refreshed: 70, failed: 0, skipped: 0 },
        platforms: {
          bluesky: { total: 25, refreshed: 25, failed: 0 },
          meta: { total: 25, refreshed: 25, failed: 0, pages: 60 },
          instagram: { total: 10, refreshed: 10, failed: 0 },
          threads: { total: 10, refreshed: 10, failed: 0 },
        },
        verified: { accessTokensThatWork: 70, pageTokensThatWork: 60 },
        durationMs: expect.any(Number),
      })
      expect(stdout.trimEnd().split('\n')).toHaveLength(1)
      expect(stdout + stderr).not.toMatch(SECRETS)
      expect(code).toBe(0)
    }
    expect(await keysIn(redis)).toEqual([])
  })

  test('is what starts when nothing is configured, and shows a table to people', async () => {
    await using dir = await tempDir()
    const { code, stdout, stderr } = await runCli(['start', '--once'], {
      cwd: dir.path,
      env: { PATH: await pathWithRedis(dir.path), LOG_LEVEL: 'trace' },
    })
    expect(stdout).toContain('Nothing is configured yet')
    expect(stdout).toMatch(/^bluesky +25 +25 +0 +0$/m)
    expect(stdout).toMatch(/^meta +25 +25 +0 +0$/m)
    expect(stdout).toMatch(/^instagram +10 +10 +0 +0$/m)
    expect(stdout).toMatch(/^threads +10 +10 +0 +0$/m)
    expect(stdout).toContain('Pages: 60 of 60')
    expect(stdout).toContain('verified: 70 of 70 stored access tokens and 60 of 60 Page tokens')
    expect(stdout.match(/refreshed (user\d+\.test|Meta user|instagram_user|threads_user)/g)).toHaveLength(70)
    expect(stdout + stderr).not.toMatch(SECRETS)
    expect(code).toBe(0)
    expect(await readdir(dir.path)).toEqual(['.data', 'bin'])
  })
})

describe.runIf(redisAvailable())('start in the sandbox', () => {
  test('stays up, can be looked at and played with, shuts out a second one, and ends cleanly on SIGTERM', async () => {
    await using dir = await tempDir()
    const env = { DATA_DIR: join(dir.path, 'data'), REDIS_URL: redis.url }
    await using sandbox = spawnNode(MAIN, { args: ['start', '--sandbox'], cwd: dir.path, env })
    await sandbox.waitForLine(/It stays up now/, 90_000)

    const list = await runCli(['accounts', 'list', '--sandbox', '--json'], { cwd: dir.path, env })
    const accounts = JSON.parse(list.stdout)
    expect(accounts).toHaveLength(70)
    for (const account of accounts)
      expect(account).toMatchObject({ status: 'active', statusReason: null, failure: null })
    const log = await runCli(['log', '--sandbox', '--limit', '5', '--json'], { cwd: dir.path, env })
    expect(JSON.parse(log.stdout)).toHaveLength(5)
    const table = await runCli(['accounts', 'list', '--sandbox'], { cwd: dir.path, env })
    expect(table.stdout).toMatch(/^[0-9a-f]{24} +bluesky +user\d+\.test +active .* in [56] d +in (89|90) d$/m)
    expect(table.stdout).toMatch(/^[0-9a-f]{24} +meta +Meta user \d+ +active .* in 2[678] d +in 59 d$/m)
    expect(table.stdout).toMatch(/^[0-9a-f]{24} +instagram +instagram_user_\d+ +active .* in 5[0123] d +in 59 d$/m)

    const second = await runCli(['start', '--sandbox', '--once'], { cwd: dir.path, env })
    expect(second.code).toBe(1)
    expect(second.stderr).toMatch(/^SANDBOX_FAILED: Another sandbox runs in /m)

    // What it says how to do: a user removes the app.
    const [, removeUrl, removal] = await sandbox.waitForLine(/curl (\S+\/removeApp) --json '(.*)'/)
    await post(removeUrl!, removal!)
    const [, refreshUrl, key, asked] = await sandbox.waitForLine(/curl (\S+) -H '.*: (.*)' --json '(.*)'/)
    await post(refreshUrl!, asked!, { authorization: key! })
    await sandbox.waitForLine(/not refreshed: Meta user .*META_ACCESS_REVOKED/)
    const after = await runCli(['accounts', 'list', '--sandbox', '--json'], { cwd: dir.path, env })
    const gone = { id: JSON.parse(asked!).accountId, status: 'needs_reconnect', statusReason: 'META_ACCESS_REVOKED' }
    expect(JSON.parse(after.stdout)).toContainEqual(expect.objectContaining(gone))

    sandbox.kill('SIGTERM')
    expect(await sandbox.exited).toEqual({ code: 0, signal: null })
    expect(await keysIn(redis)).toEqual([])
  })

  test('an account that is not refreshed makes --once fail', async () => {
    await using dir = await tempDir()
    const env = { DATA_DIR: join(dir.path, 'data'), REDIS_URL: redis.url }
    const args = ['start', '--sandbox', '--once', '--json']
    await using sandbox = spawnNode(MAIN, { args, cwd: dir.path, env })
    const [, control] = await sandbox.waitForLine(/Control +(http\S+),/, 90_000)
    const outage = { host: 'threads', path: '/refresh_access_token', error: 'service', times: null }
    await post(`${control}/inject`, JSON.stringify(outage))
    expect(await sandbox.exited).toEqual({ code: 1, signal: null })
    expect(JSON.parse(sandbox.stdoutLines.at(-1)!)).toMatchObject({
      run: { total: 70, refreshed: 60, failed: 10, skipped: 0 },
      platforms: { threads: { total: 10, refreshed: 0, failed: 10 }, instagram: { refreshed: 10, failed: 0 } },
      // What was not refreshed has six days left.
      verified: { accessTokensThatWork: 70, pageTokensThatWork: 60 },
    })
  })

  test('ends on SIGTERM while it is still starting; a run that was waited for counts as failed', async () => {
    await using dir = await tempDir()
    const env = { DATA_DIR: join(dir.path, 'data'), REDIS_URL: redis.url }
    await using staying = spawnNode(MAIN, { args: ['start', '--sandbox'], cwd: dir.path, env })
    await using waiting = spawnNode(MAIN, {
      args: ['start', '--sandbox', '--once'],
      cwd: dir.path,
      env: { ...env, DATA_DIR: join(dir.path, 'other') },
    })
    await Promise.all([staying, waiting].map((process) => process.waitForLine(/Tokenkeeper sandbox/)))
    staying.kill('SIGTERM')
    waiting.kill('SIGINT')
    expect(await staying.exited).toEqual({ code: 0, signal: null })
    expect(await waiting.exited).toEqual({ code: 1, signal: null })
    expect(await keysIn(redis)).toEqual([])
  })

  test('leaves the data of the real thing alone', async () => {
    await using dir = await tempDir()
    const dataDir = join(dir.path, 'data')
    await mkdir(join(dataDir, 'sandbox'), { recursive: true })
    await writeFile(join(dataDir, 'sandbox', 'left-over'), '')
    await writeFile(join(dataDir, 'tokenkeeper.db'), 'not ours to open')
    const { code } = await runCli(['start', '--sandbox', '--once'], {
      cwd: dir.path,
      env: { DATA_DIR: dataDir, REDIS_URL: redis.url, DATABASE_URL: 'sqlite:/nowhere/at/all.db' },
    })
    expect(code).toBe(0)
    expect((await readdir(dataDir)).toSorted()).toEqual(['sandbox', 'sandbox.lock', 'tokenkeeper.db'])
    expect(await readdir(join(dataDir, 'sandbox'))).not.toContain('left-over')
  })
})

async function post(url: string, json: string, headers: Readonly<Record<string, string>> = {}): Promise<void> {
  const answer = await fetch(url, {
    method: 'POST',
    body: json,
    headers: { ...headers, 'content-type': 'application/json' },
  })
  if (!answer.ok) throw new Error(`${url} answered ${answer.status} ${await answer.text()}`)
}
