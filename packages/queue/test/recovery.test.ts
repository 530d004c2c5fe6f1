import { makeId } from '@tokenkeeper/core'
import { buildAttempt, buildLogItem } from '@tokenkeeper/store/conformance'
import { type RedisServer, startRedis } from '@tokenkeeper/testkit'
import { Worker } from 'bullmq'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runRecovery } from '../src/recovery.ts'
import { startWorkers } from '../src/worker.ts'
import { type Harness, startHarness } from './harness.ts'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis[Symbol.asyncDispose]())

const FAST = { staleScanMs: 20, relayEveryMs: 20, replayEveryMs: 3_600_000, replayAgainMs: 20 }

function recovering(harness: Harness) {
  const stop = new AbortController()
  const ended = runRecovery(harness.deps, stop.signal)
  return {
    ended,
    async [Symbol.asyncDispose]() {
      stop.abort()
      await ended
    },
  }
}

/** An attempt whose process died. */
const stale = (now: number) => buildAttempt({ state: 'live', leaseUntil: now - 1 })

test('stale attempts are enqueued once, before everything else, and those of the living are left alone', async () => {
  await using harness = await startHarness({ port: redis.port, settings: FAST })
  const now = harness.clock.now()
  await harness.addAccounts(1, { attempt: buildAttempt({ state: 'live', leaseUntil: now + 60_000 }) })
  const [left] = await harness.addAccounts(1, { attempt: stale(now) })
  const { refreshNow } = harness.deps.queues
  await using _ = recovering(harness)
  await expect.poll(() => refreshNow.getJobCountByTypes('waiting')).toBe(1)
  const [job] = await refreshNow.getJobs(['waiting'])
  expect(job?.data).toEqual({ accountId: left!.id, type: 'scheduled', force: false })
  expect(job?.opts.priority).toBeUndefined()
  harness.clock.advance(60_001)
  await expect.poll(() => refreshNow.getJobCountByTypes('waiting')).toBe(2)
})

test('without Redis they are recovered all the same', async () => {
  await using own = await startRedis()
  await using harness = await startHarness({ port: own.port, settings: FAST })
  const accounts = await harness.addAccounts(8, { attempt: stale(harness.clock.now()) })
  await own.kill()
  await using _ = recovering(harness)
  const generations = async () =>
    (await harness.store.accounts.getMany(accounts.map(({ id }) => id))).map((a) => a.generation)
  await expect.poll(generations).toEqual(Array(8).fill(2))
})

test('what writes left to tell is told, also when one account cannot', async () => {
  await using harness = await startHarness({ port: redis.port, settings: FAST })
  const { engine, store } = harness
  const tell = { outbox: [buildLogItem()] }
  const [cursed, ...others] = await harness.addAccounts(3, tell)
  const relay = engine.relayAccount
  engine.relayAccount = async (id) => {
    if (id === cursed!.id) throw new Error('cannot be told')
    await relay(id)
  }
  await using _ = recovering(harness)
  const left = () => store.accounts.withOutbox({ afterId: null, limit: 10 })
  await expect.poll(left).toEqual([cursed!.id])
  expect(engine.relayed).toEqual(others.map(({ id }) => id))
})

test('Pages are walked for those without an account, again and again, also if it fails once', async () => {
  await using harness = await startHarness({ port: redis.port, settings: FAST })
  const { engine } = harness
  const walk = engine.removeOrphanPages
  let fails = 1
  engine.removeOrphanPages = async (afterId) => {
    if (afterId === 'page-1' && fails-- > 0) throw new Error('away')
    return walk(afterId)
  }
  await using _ = recovering(harness)
  await expect.poll(() => engine.walked.slice(0, 5)).toEqual([null, 'page-1', 'page-2', null, 'page-4'])
})

test('removals are finished', async () => {
  await using harness = await startHarness({ port: redis.port, settings: FAST })
  const [account] = await harness.addAccounts(1, { status: 'removing' })
  await using _ = recovering(harness)
  await expect.poll(() => harness.store.accounts.get(account!.id)).toBeNull()
})

test('spools are replayed at start, soon again while answers land, and then rarely', async () => {
  await using harness = await startHarness({ port: redis.port, settings: FAST })
  const { spools } = harness.engine
  spools.landed = 1
  await using _ = recovering(harness)
  await expect.poll(() => spools.replays).toBeGreaterThan(3)
  spools.landed = 0
  const settled = () => {
    const before = spools.replays
    return harness.clock.sleep(100).then(() => spools.replays === before)
  }
  await expect.poll(settled).toBe(true)
})

test('halts are looked at again and again, also after a look that failed', async () => {
  await using harness = await startHarness({ port: redis.port, settings: { ...FAST, haltProbeEveryMs: 20 } })
  const { halts } = harness.engine
  const probe = harness.engine.probeHalts
  harness.engine.probeHalts = async () => {
    if ((await probe()) === 1) throw new Error('the store is away')
    return 0
  }
  await using _ = recovering(harness)
  await expect.poll(() => halts.probed).toBeGreaterThan(3)
})

test('an unreachable store ends no loop: all goes on when it is back', async () => {
  await using harness = await startHarness({ port: redis.port, settings: FAST })
  const { store, engine, deps } = harness
  let away = true
  const unlessAway = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(object, name) {
        const value: unknown = Reflect.get(object, name)
        if (typeof value !== 'function') return value
        return async (...args: unknown[]) => {
          if (away) throw new Error('away')
          return Reflect.apply(value, object, args)
        }
      },
    })
  const flaky = { ...store, accounts: unlessAway(store.accounts), ping: unlessAway(store).ping }
  const [account] = await harness.addAccounts(1, { attempt: stale(harness.clock.now()) })
  await using _ = recovering({ ...harness, deps: { ...deps, store: flaky } })
  // While the store is away, spools are looked at soon again.
  await expect.poll(() => engine.spools.replays).toBeGreaterThan(3)
  away = false
  const enqueued = () => deps.queues.refreshNow.getJobs(['waiting'])
  await expect.poll(async () => (await enqueued()).map(({ data }) => data.accountId)).toEqual([account!.id])
})

test('a job whose worker died runs again within the time that the settings promise', async () => {
  const settings = { lockMs: 800, stalledCheckMs: 300 }
  await using harness = await startHarness({ port: redis.port, settings })
  const { deps, engine } = harness
  // What a dead worker leaves: a job that is active, under a lock that nobody renews.
  const orphan = await deps.queues.refresh.add('refresh-account', {
    accountId: makeId(),
    type: 'scheduled',
    force: false,
  })
  const dead = new Worker('refresh', null, { connection: deps.redis.worker, prefix: deps.prefix, lockDuration: 800 })
  expect((await dead.getNextJob('dead'))?.id).toBe(orphan.id)
  const began = performance.now()
  await using _ = await startWorkers(deps)
  await expect.poll(() => engine.calls, { interval: 10 }).toHaveLength(1)
  expect(engine.calls[0]?.options.job?.run).toBe(2)
  // BullMQ's own settings take a minute.
  expect(performance.now() - began).toBeLessThan(15_000)
  await dead.close()
})

test('old files of the journal are deleted from the start on', async () => {
  await using harness = await startHarness({ port: redis.port, settings: FAST })
  await using _ = recovering(harness)
  await expect.poll(() => harness.engine.journal.pruned).toBe(1)
})
