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
        run: { total: 25, refreshed: 25, failed: 0, skipped: 0 },
        platforms: { bluesky: { total: 25, refreshed: 25, failed: 0 } },
        verified: { accessTokensThatWork: 25 },
        durationMs: expect.any(Number),
      })
      expect(stdout.trimEnd().split('\n')).toHaveLength(1)
      expect(code).toBe(0)
    }
    expect(await keysIn(redis)).toEqual([])
  })

  test('is what starts when nothing is configured, and shows a table to people', async () => {
    await using dir = await tempDir()
    const { code, stdout, stderr } = await runCli(['start', '--once'], {
      cwd: dir.path,
      env: { PATH: await pathWithRedis(dir.path) },
    })
    expect(stdout).toContain('Nothing is configured yet')
    expect(stdout).toMatch(/^bluesky +25 +25 +0 +0$/m)
    expect(stdout).toContain('verified: 25 of 25')
    expect(stdout.match(/refreshed user\d+\.test/g)).toHaveLength(25)
    // Neither tokens nor app passwords.
    expect(stdout + stderr).not.toMatch(/eyJ|\b[a-z2-7]{4}(-[a-z2-7]{4}){3}\b/)
    expect(code).toBe(0)
    expect(await readdir(dir.path)).toEqual(['.data', 'bin'])
  })
})

describe.runIf(redisAvailable())('start in the sandbox', () => {
  test('stays up, can be looked at, shuts out a second one, and ends cleanly on SIGTERM', async () => {
    await using dir = await tempDir()
    const env = { DATA_DIR: join(dir.path, 'data'), REDIS_URL: redis.url }
    await using sandbox = spawnNode(MAIN, { args: ['start', '--sandbox'], cwd: dir.path, env })
    await sandbox.waitForLine(/It stays up now/, 90_000)

    const list = await runCli(['accounts', 'list', '--sandbox', '--json'], { cwd: dir.path, env })
    const accounts = JSON.parse(list.stdout)
    expect(accounts).toHaveLength(25)
    expect(accounts[0]).toMatchObject({ platform: 'bluesky', status: 'active', statusReason: null, failure: null })
    const log = await runCli(['log', '--sandbox', '--limit', '5', '--json'], { cwd: dir.path, env })
    expect(JSON.parse(log.stdout)).toHaveLength(5)
    const table = await runCli(['accounts', 'list', '--sandbox'], { cwd: dir.path, env })
    expect(table.stdout).toMatch(/^[0-9a-f]{24} +bluesky +user\d+\.test +active .* in [56] d +in (89|90) d$/m)

    const second = await runCli(['start', '--sandbox', '--once'], { cwd: dir.path, env })
    expect(second.code).toBe(1)
    expect(second.stderr).toMatch(/^SANDBOX_FAILED: Another sandbox runs in /m)

    sandbox.kill('SIGTERM')
    expect(await sandbox.exited).toEqual({ code: 0, signal: null })
    expect(await keysIn(redis)).toEqual([])
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
