import { CodedError } from '@tokenkeeper/core'
import type { PagesOutcome, RefreshOutcome } from '@tokenkeeper/engine'
import { createSecretSearch, type RedisServer, startRedis, until } from '@tokenkeeper/testkit'
import type { Job, JobState } from 'bullmq'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { enqueuePages, enqueueRefresh } from '../src/enqueue.ts'
import type { AccountJob } from '../src/jobs.ts'
import { createRefreshWorker } from '../src/refresh-worker.ts'
import { listen } from '../src/worker-options.ts'
import { type Harness, type HarnessOptions, startHarness } from './harness.ts'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis[Symbol.asyncDispose]())

/** A harness with a worker on `refresh`. */
async function working(options: Partial<HarnessOptions> = {}) {
  const stack = new AsyncDisposableStack()
  const harness = stack.use(await startHarness({ port: redis.port, ...options }))
  const worker = createRefreshWorker('refresh', harness.deps)
  listen(worker, harness.deps)
  stack.defer(() => worker.close())
  return { ...harness, worker, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

async function enqueue({ deps, addAccounts }: Pick<Harness, 'deps' | 'addAccounts'>, force = false): Promise<string> {
  const accounts = await addAccounts(1)
  const [id] = await enqueueRefresh(deps.queues.refresh, accounts, { type: 'manual', force, clock: deps.clock })
  return id!
}

function inState({ deps }: Pick<Harness, 'deps'>, id: string, state: JobState): Promise<Job<AccountJob>> {
  const look = async () => {
    const reached = (await deps.queues.refresh.getJobState(id)) === state
    return reached ? deps.queues.refresh.getJob(id) : undefined
  }
  return until(look, { what: `job ${id} to be ${state}` })
}

describe('what becomes of a job', () => {
  const completed: RefreshOutcome[] = [
    { kind: 'refreshed', generation: 7 },
    { kind: 'fenced' },
    { kind: 'spooled' },
    { kind: 'skipped', reason: 'not_due' },
    { kind: 'snoozed', until: 1_800_000_000_000 },
  ]
  test.each(completed)('$kind completes it', async (outcome) => {
    await using harness = await working()
    harness.engine.refresh = async () => outcome
    const job = await inState(harness, await enqueue(harness), 'completed')
    expect(job.returnvalue).toEqual(outcome)
  })

  const until = 1_800_000_000_000
  const failed: [RefreshOutcome, string][] = [
    [
      { kind: 'not_begun', code: 'STORE_UNAVAILABLE' },
      'STORE_UNAVAILABLE: The database cannot be reached or written now.',
    ],
    [{ kind: 'failed', code: 'PROVIDER_RATE_LIMITED', until }, 'PROVIDER_RATE_LIMITED: The provider asks us to wait.'],
    [{ kind: 'ambiguous', code: 'PROVIDER_TIMEOUT', until }, 'PROVIDER_TIMEOUT: The provider did not answer in time.'],
    [{ kind: 'held', code: 'BLUESKY_TOKEN_REFUSED', until }, 'BLUESKY_TOKEN_REFUSED: '],
    [{ kind: 'dead', code: 'BLUESKY_SESSION_EXPIRED' }, 'BLUESKY_SESSION_EXPIRED: '],
    [{ kind: 'needs_action', code: 'BLUESKY_TAKEN_DOWN' }, 'BLUESKY_TAKEN_DOWN: '],
    [{ kind: 'quarantined', code: 'KEY_MISSING' }, 'KEY_MISSING: '],
  ]
  test.each(failed)('$kind fails it, once, with its public message', async (outcome, reason) => {
    await using harness = await working()
    harness.engine.refresh = async () => outcome
    const job = await inState(harness, await enqueue(harness), 'failed')
    expect(job.failedReason.startsWith(reason)).toBe(true)
    expect(job.stacktrace).toEqual([])
    expect(harness.engine.calls).toHaveLength(1)
  })

  test('busy puts it back until the lease ends, and it then asks for no second refresh', async () => {
    await using harness = await working()
    const outcomes: RefreshOutcome[] = [{ kind: 'busy', until: harness.clock.now() + 300 }, { kind: 'fenced' }]
    harness.engine.refresh = async () => outcomes.shift()!
    const job = await inState(harness, await enqueue(harness, true), 'completed')
    expect(harness.engine.calls.map(({ options }) => options)).toEqual([
      { type: 'manual', force: true, seen: 'none', job: { id: expect.any(String), run: 1 }, relayLater: true },
      { type: 'manual', force: false, job: { id: expect.any(String), run: 2 }, relayLater: true },
    ])
    const [first, second] = harness.engine.calls
    expect(second!.options.job!.id).toBe(first!.options.job!.id)
    expect(job.attemptsMade).toBe(1)
  })

  test('busy for long is looked at again within a minute, also when the clock was moved', async () => {
    await using harness = await working()
    harness.clock.advance(3 * 86_400_000)
    harness.engine.refresh = async () => ({ kind: 'busy', until: harness.clock.now() + 3_600_000 })
    const job = await inState(harness, await enqueue(harness), 'delayed')
    expect(job.delay).toBeGreaterThan(55_000)
    expect(job.delay).toBeLessThanOrEqual(60_000)
    expect((await harness.deps.queues.refresh.getJob(job.id!))?.deduplicationId).toBe(`account-${job.data.accountId}`)
  })
})

describe('a job that fetches Pages', () => {
  async function enqueue({ deps, addAccounts }: Pick<Harness, 'deps' | 'addAccounts'>): Promise<string> {
    await enqueuePages(deps.queues.refresh, await addAccounts(1), deps.clock)
    const [job] = await deps.queues.refresh.getJobs(['waiting', 'prioritized', 'active', 'completed', 'failed'])
    return job!.id!
  }

  const counts = { refreshed: 3, needsPermission: 1, missed: 0, missing: 0, lost: 1 }
  test.each<PagesOutcome>([
    { kind: 'fetched', complete: true, counts },
    { kind: 'not_due' },
    { kind: 'put_off', code: 'PROVIDER_RATE_LIMITED', until: 1_800_000_000_000 },
    { kind: 'off' },
  ])('is completed by $kind, and refreshes nothing', async (outcome) => {
    await using harness = await working()
    harness.engine.pages = async () => outcome
    const job = await inState(harness, await enqueue(harness), 'completed')
    expect(job.returnvalue).toEqual(outcome)
    expect(harness.engine.listed).toEqual([job.data.accountId])
    expect(harness.engine.calls).toEqual([])
  })

  test('fails once, with its public message', async () => {
    await using harness = await working()
    harness.engine.pages = async () => ({ kind: 'failed', code: 'PROVIDER_UNAVAILABLE', until: 1_800_000_000_000 })
    const job = await inState(harness, await enqueue(harness), 'failed')
    expect(job.failedReason).toMatch(/^PROVIDER_UNAVAILABLE: /)
    expect(job.stacktrace).toEqual([])
    expect(harness.engine.listed).toHaveLength(1)
  })

  test.each([
    ['fetch-pages', { accountId: 'a'.repeat(24), token: 'x' }],
    ['fetch-pages', { accountId: '../../etc' }],
    ['rm', { accountId: 'a'.repeat(24) }],
  ])('%s with %j is refused', async (name, data) => {
    await using harness = await working()
    const { id } = await harness.deps.queues.refresh.add(name, data as AccountJob)
    const job = await inState(harness, id!, 'failed')
    expect(job.failedReason).toBe('JOB_INVALID: A job in the queue holds data that cannot be used.')
    expect([...harness.engine.listed, ...harness.engine.calls]).toEqual([])
  })
})

describe('what is handed to the engine', () => {
  test('a job id that no other job has, not of another queue, nor after a FLUSHALL', async () => {
    await using own = await startRedis()
    await using harness = await working({ port: own.port })
    const urgent = createRefreshWorker('refresh-now', harness.deps)
    const client = new Redis(own.port)
    try {
      const { queues, clock } = harness.deps
      const [account] = await harness.addAccounts(1)
      const enqueueIn = (queue: typeof queues.refresh) => enqueueRefresh(queue, [account!], { type: 'manual', clock })
      expect(await enqueueIn(queues.refresh)).toEqual(['1'])
      expect(await enqueueIn(queues.refreshNow)).toEqual(['1'])
      await expect.poll(() => harness.engine.calls).toHaveLength(2)
      await client.flushall()
      expect(await enqueueIn(queues.refresh)).toEqual(['1'])
      await expect.poll(() => harness.engine.calls).toHaveLength(3)
      expect(new Set(harness.engine.calls.map(({ options }) => options.job!.id)).size).toBe(3)
    } finally {
      client.disconnect()
      await urgent.close()
    }
  })

  test.each([
    ['no account', { type: 'manual', force: false }],
    ['a malformed id', { accountId: '../../etc', type: 'manual', force: false }],
    ['an unknown type', { accountId: 'a'.repeat(24), type: 'whatever', force: false }],
    ['something more', { accountId: 'a'.repeat(24), type: 'manual', force: false, token: 'x' }],
  ])('nothing from a job with %s', async (_, data) => {
    await using harness = await working()
    const { id } = await harness.deps.queues.refresh.add('refresh-account', data as AccountJob)
    const job = await inState(harness, id!, 'failed')
    expect(job.failedReason).toBe('JOB_INVALID: A job in the queue holds data that cannot be used.')
    expect(harness.engine.calls).toEqual([])
  })
})

test.each([
  ['an unexpected error', new Error('planted-secret in a message')],
  [
    'a coded error',
    new CodedError('STORE_UNAVAILABLE', { internal: 'planted-secret', cause: new Error('planted-secret') }),
  ],
])('nothing internal of %s gets into Redis', async (_, error) => {
  await using own = await startRedis()
  await using harness = await working({ port: own.port })
  harness.engine.refresh = async () => {
    throw error
  }
  const job = await inState(harness, await enqueue(harness), 'failed')
  expect(job.failedReason).toMatch(/^(?:INTERNAL|STORE_UNAVAILABLE): /)
  expect(await createSecretSearch(['planted-secret']).searchRedis(own.url)).toEqual([])
})
