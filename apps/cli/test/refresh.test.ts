import { type Pds, type RedisServer, startPds, startRedis, until } from '@tokenkeeper/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { refreshAccountJson, refreshRunJson } from '../src/json/refresh.ts'
import { createWorld } from './refresh-world.ts'

let pds: Pds
let redis: RedisServer
beforeAll(async () => {
  ;[pds, redis] = await Promise.all([startPds(), startRedis()])
})
afterAll(() => Promise.all([pds[Symbol.asyncDispose](), redis[Symbol.asyncDispose]()]))

const startWorld = (env: Readonly<Record<string, string>> = {}) => createWorld(pds, { redisUrl: redis.url, env })

describe('with a worker', () => {
  test('what falls due within a day is refreshed; all of it with --all; what one platform has with --platform', async () => {
    await using world = await startWorld()
    const [bluesky, meta] = [(await world.connectBluesky(4)).ids, await world.connectGraph(2)]
    await world.makeDue([...bluesky.slice(0, 2), meta[0]!])
    await using worker = await world.startWorker()

    const { code, result } = await world.json(refreshRunJson, ['refresh'])
    expect(result).toMatchObject({
      finished: true,
      run: { total: 6, refreshed: 3, failed: 0, skipped: 3, deferred: 0 },
      platforms: { bluesky: { refreshed: 2 }, meta: { refreshed: 1 } },
      failures: [],
    })
    expect(code).toBe(0)
    expect(await world.generations([...bluesky, ...meta])).toEqual([2, 2, 1, 1, 2, 1])
    const audit = await world.store.audit.list({ limit: 1 })
    expect(audit).toMatchObject([{ action: 'run.requested', actor: 'cli' }])

    const all = await world.run(['refresh', '--all', '--platform', 'bluesky'])
    expect([all.code, all.stdout]).toEqual([0, expect.stringMatching(/^bluesky +4 +4 +0 +0 +0$/m)])
    expect(await world.generations([...bluesky, ...meta])).toEqual([3, 3, 2, 2, 2, 1])
    expect(await world.leaks(worker.lines)).toEqual([])
  })

  test('what failed is told with why and what to do, and it ends with 1', async () => {
    await using world = await startWorld()
    const { ids, users } = await world.connectBluesky(3)
    await world.makeDue(ids)
    await pds.admin.takedown(users[1]!.did)
    await using _worker = await world.startWorker()
    const ran = await world.run(['refresh'])
    expect(ran.stdout).toMatch(/^bluesky +3 +2 +1 +0 +0$/m)
    const { handle } = users[1]!
    expect(ran.stdout).toMatch(new RegExp(`^${ids[1]} +${handle} +BLUESKY_TAKEN_DOWN .*the user sees to it`, 'm'))
    expect(ran.code).toBe(1)
    expect(await world.leaks()).toEqual([])
  })

  test('one account is refreshed before all others and tells its own outcome', async () => {
    await using world = await startWorld()
    const { ids, users } = await world.connectBluesky(3)
    await using _worker = await world.startWorker()
    world.host.fault({ kind: 'drop_answer', times: 1 })
    const one = await world.json(refreshAccountJson, ['refresh', '--account', ids[0]!])
    expect(one).toMatchObject({ code: 0, result: { accountId: ids[0], outcome: 'refreshed' } })
    expect(await world.generations(ids)).toEqual([2, 1, 1])
    const audit = await world.store.audit.list({ accountId: ids[0]!, limit: 1 })
    expect(audit).toMatchObject([{ action: 'account.refresh_requested', actor: 'cli' }])

    await pds.admin.takedown(users[1]!.did)
    const failed = await world.json(refreshAccountJson, ['refresh', '--account', ids[1]!])
    expect(failed).toMatchObject({
      code: 1,
      result: { outcome: 'failed', code: 'BLUESKY_TAKEN_DOWN', status: 'needs_action' },
    })
    world.host.fault({ kind: 'rate_limited', retryAfterS: 600, times: 1 })
    const limited = await world.run(['refresh', '--account', ids[2]!])
    expect([limited.code, limited.stdout]).toEqual([1, expect.stringMatching(/PROVIDER_RATE_LIMITED: .*\nWhat to do:/)])
    const again = await world.json(refreshAccountJson, ['refresh', '--account', ids[2]!])
    expect(again).toMatchObject({ code: 1, result: { outcome: 'put_off', code: null } })
    expect(await world.leaks()).toEqual([])
  })

  test('SIGINT ends the command with 130, and the run goes on', async () => {
    await using world = await startWorld()
    const { ids } = await world.connectBluesky(2)
    await world.makeDue(ids)
    await using _worker = await world.startWorker()
    const held = world.host.fault({ kind: 'hold' })
    await using command = world.spawnCli(['refresh'])
    await until(() => world.refreshes().length === 2, { what: 'the refreshes to be in flight' })
    command.kill('SIGINT')
    expect(await command.exited).toEqual({ code: 130, signal: null })
    expect(command.lines.join('\n')).toContain('The run goes on without this command')
    held.release()
    await until(async () => (await world.generations(ids)).every((generation) => generation === 2), { what: 'the run' })
    await until(async () => (await world.store.runs.unfinished(1)).length === 0, { what: 'the end of the run' })
  })

  test('that dies meanwhile it does not wait for ever; the run stands', async () => {
    await using world = await startWorld()
    const { ids } = await world.connectBluesky(1)
    await world.makeDue(ids)
    await using worker = await world.startWorker()
    world.host.fault({ kind: 'hold_request' })
    const ran = world.run(['refresh'])
    await until(() => world.refreshes().length === 1, { what: 'the refresh to be in flight' })
    worker.kill('SIGKILL')
    const { code, stderr } = await ran
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^NO_WORKERS: The workers have gone\..*tokenkeeper serve/m),
    ])
    expect(await world.store.runs.unfinished(9)).toHaveLength(1)
  })
})

test('without a worker it says so soon, and enqueues nothing', async () => {
  await using world = await startWorld()
  const { ids } = await world.connectBluesky(1)
  await world.makeDue(ids)
  for (const args of [['refresh'], ['refresh', '--account', ids[0]!]]) {
    const { code, stderr } = await world.run(args)
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^NO_WORKERS: .*tokenkeeper serve.*--standalone/m)])
  }
  expect(await world.store.runs.unfinished(9)).toEqual([])
  const { queues } = await world.connectRedis()
  expect(await queues.refreshNow.getJobCountByTypes('waiting', 'prioritized')).toBe(0)
})

test('without Redis it says where it looked, and how to do without', async () => {
  await using world = await createWorld(pds)
  const { code, stderr, stdout } = await world.run(['refresh', '--json'])
  expect([code, stderr]).toEqual([1, expect.stringMatching(/^REDIS_UNAVAILABLE: .*127\.0\.0\.1:1.*--standalone/m)])
  expect(JSON.parse(stdout).error.code).toBe('REDIS_UNAVAILABLE')
})

test.each<[what: string, args: readonly string[], code: number, said: RegExp]>([
  ['an account that is not there', ['--account', '0'.repeat(24)], 1, /ACCOUNT_NOT_FOUND: .*accounts list/],
  ['what is no id', ['--account', 'ada'], 2, /24 hex digits/],
  ['an account and all', ['--account', '0'.repeat(24), '--all'], 2, /cannot be used with/],
  ['a platform that is off', ['--platform', 'threads', '--standalone'], 1, /PROVIDER_OFF: .*THREADS_APP_ID/],
  ['no platform of ours', ['--platform', 'myspace'], 2, /Allowed choices/],
])('called with %s', async (_, args, code, said) => {
  await using world = await createWorld(pds)
  const ran = await world.run(['refresh', ...args])
  expect([ran.code, ran.stderr]).toEqual([code, expect.stringMatching(said)])
})

test.each([
  ['paused', /ACCOUNT_NEEDS_PERSON: .*resume it first/],
  ['needs_reconnect', /ACCOUNT_NEEDS_PERSON: .*connected again/],
] as const)('an account that is %s is not tried', async (status, said) => {
  await using world = await createWorld(pds)
  const [id] = (await world.connectBluesky(1)).ids
  await world.set(id!, { status: { active: status } })
  const ran = await world.run(['refresh', '--account', id!, '--standalone'])
  expect([ran.code, ran.stderr]).toEqual([1, expect.stringMatching(said)])
  expect(world.refreshes()).toEqual([])
})
