import { makeId } from '@tokenkeeper/core'
import { enqueueRefresh } from '@tokenkeeper/queue'
import { type RedisServer, startRedis } from '@tokenkeeper/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { logIn } from './board-client.ts'
import { failJob } from './fail-job.ts'
import { ADMIN_KEY, createWorld } from './world.ts'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis[Symbol.asyncDispose]())

describe('retry', () => {
  const dataOf = (accountId: string) => ({ accountId, type: 'scheduled', force: false })
  const retryPath = (queue: string, id = '') => `/queues/api/queues/${queue}/${id}/retry`

  test('of a refresh is a manual refresh now, recorded; the failed job is gone', async () => {
    await using own = await createWorld({ redisUrl: redis.url })
    const { id, key } = await own.makeKey('operator')
    const session = await logIn(own.url, key)
    const account = await own.addAccount()
    const job = await failJob(own, 'refresh', dataOf(account.id))
    expect((await session.call('PUT', retryPath('refresh', job.id))).status).toBe(200)
    const { queues } = await own.connectRedis()
    const jobs = await queues.refreshNow.getJobs(['waiting'])
    expect(jobs.map(({ data }) => data)).toMatchObject([{ accountId: account.id, type: 'manual', force: true }])
    expect(await queues.refresh.getJobCounts('failed', 'waiting', 'prioritized')).toEqual({
      failed: 0,
      waiting: 0,
      prioritized: 0,
    })
    const entries = await own.store.audit.list({ accountId: account.id, limit: 9 })
    expect(entries).toContainEqual(
      expect.objectContaining({
        action: 'job.retried',
        actor: `a operator (API key ${id})`,
        detail: `refresh/${job.id}`,
      }),
    )
  })

  test('of a fetch of Pages is a refresh now too, which fetches them', async () => {
    await using own = await createWorld({ redisUrl: redis.url })
    const session = await logIn(own.url, ADMIN_KEY)
    const account = await own.addAccount()
    const job = await failJob(own, 'refresh', { accountId: account.id })
    expect((await session.call('PUT', retryPath('refresh', job.id))).status).toBe(200)
    const { queues } = await own.connectRedis()
    const jobs = await queues.refreshNow.getJobs(['waiting'])
    expect(jobs.map(({ data }) => data)).toMatchObject([{ accountId: account.id, type: 'manual', force: true }])
  })

  test('of an account that needs a person says so, and leaves the job', async () => {
    await using own = await createWorld({ redisUrl: redis.url })
    const session = await logIn(own.url, ADMIN_KEY)
    const account = await own.addAccount({ status: 'paused' })
    const job = await failJob(own, 'refresh-now', dataOf(account.id))
    const answer = await session.call('PUT', retryPath('refresh-now', job.id))
    expect([answer.status, answer.body.error]).toEqual([409, 'This account is paused: resume it first.'])
    expect(await job.getState()).toBe('failed')
  })

  test('is of failed jobs with known data alone', async () => {
    await using own = await createWorld({ redisUrl: redis.url })
    const session = await logIn(own.url, ADMIN_KEY)
    const account = await own.addAccount()
    const { queues, clock } = await own.connectRedis()
    const [waiting] = await enqueueRefresh(queues.refresh, [account], { type: 'manual', clock })
    for (const [action, message] of [
      ['retry', /^This takes a failed job; it is prioritized\.$/],
      ['promote', /^This takes a delayed job; it is prioritized\.$/],
    ] as const) {
      const answer = await session.call('PUT', `/queues/api/queues/refresh/${waiting}/${action}`)
      expect(answer).toMatchObject({ status: 409, body: { code: 'JOB_STATE', error: expect.stringMatching(message) } })
    }
    const strange = await failJob(own, 'refresh-now', { accountId: account.id, command: 'rm' })
    expect((await session.call('PUT', retryPath('refresh-now', strange.id))).body.code).toBe('JOB_INVALID')
    const completed = await session.call('PUT', '/queues/api/queues/refresh/retry/completed')
    expect([completed.status, completed.body.code]).toEqual([409, 'JOB_STATE'])
    expect(await own.store.audit.list({ limit: 9 })).toEqual([])
  })

  test('of all failed jobs refreshes each account once and leaves what cannot be', async () => {
    await using own = await createWorld({ redisUrl: redis.url })
    const session = await logIn(own.url, ADMIN_KEY)
    const [one, two] = [await own.addAccount(), await own.addAccount()]
    const paused = await own.addAccount({ status: 'paused' })
    const ids = [one.id, paused.id, two.id, one.id, makeId()]
    for (const id of ids) await failJob(own, 'refresh', dataOf(id))
    await failJob(own, 'refresh', { strange: true })
    const answer = await session.call('PUT', '/queues/api/queues/refresh/retry/failed')
    expect([answer.status, answer.body]).toEqual([200, { retried: 3, skipped: 3 }])
    const { queues } = await own.connectRedis()
    const jobs = await queues.refreshNow.getJobs(['waiting', 'prioritized'])
    expect(jobs.map(({ data }) => data.accountId).toSorted()).toEqual([one.id, two.id].toSorted())
    expect(await queues.refresh.getJobCountByTypes('failed')).toBe(3)
    expect(await own.store.audit.list({ limit: 9 })).toMatchObject([
      { action: 'job.retried', detail: 'refresh (all failed jobs)' },
    ])
  })

  test('of a step of a run runs that step again', async () => {
    await using own = await createWorld({ redisUrl: redis.url })
    const session = await logIn(own.url, ADMIN_KEY)
    const [one, two] = [
      await failJob(own, 'schedule', { runId: makeId(), waits: 0 }),
      await failJob(own, 'schedule', {}),
    ]
    expect((await session.call('PUT', retryPath('schedule', one.id))).status).toBe(200)
    expect(await one.getState()).toBe('waiting')
    const all = await session.call('PUT', '/queues/api/queues/schedule/retry/failed')
    expect(all.body).toEqual({ retried: 1, skipped: 0 })
    expect(await two.getState()).toBe('waiting')
  })

  test('of all, asked for several times at once, retries each job once and fails for nobody', async () => {
    await using own = await createWorld({ redisUrl: redis.url })
    const session = await logIn(own.url, ADMIN_KEY)
    for (let i = 0; i < 5; i++) await failJob(own, 'schedule', {})
    const retryAll = () => session.call('PUT', '/queues/api/queues/schedule/retry/failed')
    const answers = await Promise.all(Array.from({ length: 8 }, retryAll))
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200))
    expect(answers.reduce((sum, { body }) => sum + body.retried, 0)).toBe(5)
    const { queues } = await own.connectRedis()
    expect(await queues.schedule.getJobCounts('failed', 'waiting')).toEqual({ failed: 0, waiting: 5 })
  })
})
