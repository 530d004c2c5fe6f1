import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '@tokenkeeper/core'
import {
  createSecretSearch,
  type Pds,
  type RedisServer,
  redisAvailable,
  spawnNode,
  startPds,
  startRedis,
  tempDir,
} from '@tokenkeeper/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeDue } from '../src/sandbox/make-due.ts'
import { lastLine, MAIN, runCli } from './cli.ts'
import { openPlace } from './place.ts'

let pds: Pds
let redis: RedisServer
beforeAll(async () => {
  ;[pds, redis] = await Promise.all([startPds(), startRedis()])
})
afterAll(async () => {
  await Promise.all([pds[Symbol.asyncDispose](), redis[Symbol.asyncDispose]()])
})

const makePlace = () => openPlace({ pds, redis })

function addArgs(handle: string): string[] {
  return ['accounts', 'add', 'bluesky', '--handle', handle, '--service', pds.url, '--app-password-stdin']
}

describe.runIf(redisAvailable())('a real account', () => {
  test('is connected, listed, refreshed and removed, and no secret shows', async () => {
    await using place = await makePlace()
    const [user] = await pds.createAccounts(1)
    const appPassword = await pds.createAppPassword(user!)

    const added = await place.run([...addArgs(user!.handle), '--json'], `${appPassword}\n`)
    const account = JSON.parse(added.stdout)
    expect(account).toMatchObject({ name: user!.handle, externalId: user!.did, ownerId: 'default', status: 'active' })
    const first = await place.credentialOf(account.id)

    const fresh = await place.run(['start', '--once', '--json'])
    expect(JSON.parse(lastLine(fresh.stdout))).toEqual({
      run: { total: 1, refreshed: 0, failed: 0, skipped: 1 },
      platforms: { bluesky: { total: 1, refreshed: 0, failed: 0 } },
      durationMs: expect.any(Number),
    })
    expect(fresh.stderr).toContain('off: meta (needs APP_ID, APP_SECRET)')
    expect(fresh.code).toBe(0)

    await using store = place.openStore()
    await makeDue({ store, clock: systemClock }, account.id)
    const refreshed = await place.run(['start', '--once'])
    expect(refreshed.stdout).toMatch(/^bluesky +1 +1 +0 +0$/m)
    expect(refreshed.code).toBe(0)

    const second = await place.credentialOf(account.id)
    expect(second.refreshToken).not.toBe(first.refreshToken)
    expect(await pds.getSession(second.accessToken)).toMatchObject({ status: 200 })
    const list = await place.run(['accounts', 'list', '--json'])
    expect(JSON.parse(list.stdout)).toMatchObject([{ id: account.id, status: 'active', failure: null }])
    const log = await place.run(['log', '--json'])
    expect(JSON.parse(log.stdout)).toMatchObject([{ name: user!.handle, outcome: 'refreshed', success: true }])
    expect(JSON.parse((await place.run(['log', '--failed', '--json'])).stdout)).toEqual([])
    expect((await place.run(['log'])).stdout).toMatch(
      /^\S+ +user\d+\.test +\w+ +refreshed +\d+ ms +\S+ \S+ -> \S+ \S+$/m,
    )

    const removed = await place.run(['accounts', 'remove', '--yes', account.id])
    expect(removed).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Removed, .* account \w{24}\.$/m) })
    expect(await pds.refreshSession(second.refreshToken)).toMatchObject({ status: 400 })
    expect(JSON.parse((await place.run(['accounts', 'list', '--json'])).stdout)).toEqual([])

    const secrets = [appPassword, first.accessToken, first.refreshToken, second.accessToken, second.refreshToken]
    const search = createSecretSearch(secrets)
    expect(search.search(place.outputs.join('\n'), 'output')).toEqual([])
    expect(await search.searchDir(place.dir)).toEqual([])
    expect(await search.searchRedis(redis.url)).toEqual([])
  })

  test('fails the run and the exit code if it is not refreshed', async () => {
    await using place = await makePlace()
    const [user] = await pds.createAccounts(1)
    const appPassword = await pds.createAppPassword(user!)
    const { id } = JSON.parse((await place.run([...addArgs(user!.handle), '--json'], appPassword)).stdout)
    await pds.changePassword(user!) // which revokes every session
    await using store = place.openStore()
    await makeDue({ store, clock: systemClock }, id)

    const { code, stdout } = await place.run(['start', '--once', '--json'])
    expect(JSON.parse(lastLine(stdout)).run).toEqual({ total: 1, refreshed: 0, failed: 1, skipped: 0 })
    expect(code).toBe(1)
    expect((await place.run(['log', '--failed'])).stdout).toContain('BLUESKY_SESSION_EXPIRED')
    expect((await place.run(['accounts', 'list'])).stdout).toContain('active BLUESKY_SESSION_EXPIRED')
  })

  test('is kept by start and by serve until SIGTERM', async () => {
    await using place = await makePlace()
    await using started = spawnNode(MAIN, { args: ['start'], cwd: place.dir, env: place.env })
    await started.waitForLine(/Accounts +none yet; connect one: pnpm tokenkeeper accounts add bluesky/)
    await using served = spawnNode(MAIN, { args: ['serve'], cwd: place.dir, env: place.env })
    await served.waitForLine(/serving/)
    started.kill('SIGTERM')
    served.kill('SIGTERM')
    expect(await started.exited).toEqual({ code: 0, signal: null })
    expect(await served.exited).toEqual({ code: 0, signal: null })
    expect(served.stdoutLines).toEqual([])
  })
})

describe.runIf(redisAvailable())('what goes wrong is said in one line', () => {
  test('a wrong app password, and nothing is stored', async () => {
    await using place = await makePlace()
    const [user] = await pds.createAccounts(1)
    const { code, stderr } = await place.run(addArgs(user!.handle), 'aaaa-bbbb-cccc-dddd\n')
    expect(lastLine(stderr)).toBe('LOGIN_REFUSED: The provider refused the login: check handle and app password.')
    expect(code).toBe(1)
    expect(JSON.parse((await place.run(['accounts', 'list', '--json'])).stdout)).toEqual([])
  })

  test('no terminal to ask in', async () => {
    await using place = await makePlace()
    const { code, stderr } = await place.run(['accounts', 'add', 'bluesky'])
    expect(stderr).toBe('INPUT_MISSING: There is no terminal to ask in: give --handle.\n')
    expect(code).toBe(2)
  })

  test('an account that is not there', async () => {
    await using place = await makePlace()
    const unknown = await place.run(['accounts', 'show', 'f'.repeat(24)])
    expect(lastLine(unknown.stderr)).toMatch(/^ACCOUNT_NOT_FOUND: /)
    const malformed = await place.run(['accounts', 'show', 'nonsense'])
    expect(malformed.stderr).toMatch(/^ACCOUNT_NOT_FOUND: This is no id/)
    expect([unknown.code, malformed.code]).toEqual([1, 1])
  })

  test('a Redis that is away; for programs as JSON too', async () => {
    await using place = await makePlace()
    const env = { ...place.env, REDIS_URL: 'redis://127.0.0.1:1' }
    const { code, stdout, stderr } = await runCli(['start', '--once', '--json'], { cwd: place.dir, env })
    const message = expect.stringMatching(/^Redis cannot be reached at 127\.0\.0\.1:1\./)
    expect(JSON.parse(stdout)).toEqual({ error: { code: 'REDIS_UNAVAILABLE', message } })
    expect(lastLine(stderr)).toMatch(/^REDIS_UNAVAILABLE: Redis cannot be reached/)
    expect(code).toBe(1)
  })

  test('and LOG_LEVEL=debug tells what lies behind it', async () => {
    await using place = await makePlace()
    const env = { ...place.env, REDIS_URL: 'redis://127.0.0.1:1', LOG_LEVEL: 'debug' }
    const { stderr } = await runCli(['serve'], { cwd: place.dir, env })
    expect(stderr).toMatch(/^REDIS_UNAVAILABLE: /m)
    expect(stderr).toMatch(/DEBUG .*tokenkeeper:cli.*failed.*"code":"REDIS_UNAVAILABLE"/)
  })

  test('a configuration with mistakes, all of them by name', async () => {
    await using place = await makePlace()
    const env = { ...place.env, LOG_LEVEL: 'loud', WORKER_CONCURRENCY: '-3' }
    const { code, stderr } = await runCli(['start'], { cwd: place.dir, env })
    expect(stderr).toMatch(/^CONFIG_INVALID: /)
    expect(stderr).toMatch(/LOG_LEVEL must be/)
    expect(stderr).toMatch(/WORKER_CONCURRENCY must be/)
    expect(stderr).not.toMatch(/\n +at /)
    expect(code).toBe(2)
  })

  test('looking at nothing makes no database', async () => {
    await using dir = await tempDir()
    const ran = await runCli(['accounts', 'list'], { cwd: dir.path, env: {} })
    expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining('tokenkeeper accounts add bluesky') })
    await expect(readFile(join(dir.path, '.data/tokenkeeper.db'))).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
