import { makeApiKey, makeId } from '@tokenkeeper/core'
import { type RedisServer, startRedis } from '@tokenkeeper/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ADMIN_KEY, call, createWorld, type World } from './world.ts'

let redis: RedisServer
let world: World
beforeAll(async () => {
  redis = await startRedis()
  world = await createWorld({ redisUrl: redis.url })
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
  await redis[Symbol.asyncDispose]()
})

const PATH = '/api/admin/refresh-tokens'
const post = (body: unknown, key = ADMIN_KEY) => world.call('POST', PATH, { key, body })

function failure(code: string, message: string | RegExp) {
  return { error: { code, message: typeof message === 'string' ? message : expect.stringMatching(message) } }
}

describe('all accounts', () => {
  test('{} starts a run; asked again meanwhile, by many and of two processes, it is the same; afterwards another', async () => {
    await using own = await createWorld({ redisUrl: redis.url })
    const other = await own.startAnother()
    const ask = (url: string, body = {}) => call(url, 'POST', PATH, { key: ADMIN_KEY, body })
    const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => ask(i % 2 ? own.url : other.url)))
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(202))
    const runIds = new Set(answers.map(({ body }) => body.runId))
    expect(runIds.size).toBe(1)
    const [runId] = runIds
    const recorded = await own.store.audit.list({ limit: 99 })
    expect(recorded.filter(({ detail }) => detail === runId)).toHaveLength(10)
    expect(answers[0]!.headers.get('location')).toBe(`/api/admin/runs/${runId}`)
    const { queues } = await own.connectRedis()
    expect((await queues.schedule.getJobs(['waiting'])).map(({ data }) => data)).toEqual([{ runId, waits: 0 }])

    const ofPlatform = await ask(own.url, { platform: 'bluesky' })
    expect(ofPlatform.body.runId).not.toBe(runId)
    expect((await ask(own.url, { platform: 'bluesky' })).body).toEqual(ofPlatform.body)

    const { totals } = (await own.store.runs.get(runId))!
    await own.store.runs.advance(runId, null, { cursor: null, totals, finishedAt: Date.now() })
    const next = (await ask(own.url)).body.runId
    expect(next).not.toBe(runId)
    expect((await ask(other.url)).body.runId).toBe(next)
  })

  test('runs are chained one by one, whatever the clocks of their makers say', async () => {
    await using own = await createWorld({ redisUrl: redis.url })
    const first = await own.call('POST', PATH, { key: ADMIN_KEY, body: {} })
    const { totals, ...run } = (await own.store.runs.get(first.body.runId))!
    await own.store.runs.advance(run.id, null, { cursor: null, totals, finishedAt: Date.now() })
    // Made by a process whose clock is behind, and finished: the latest by its time is still the first one.
    const behind = {
      ...run,
      id: makeId(),
      occurrence: run.id,
      createdAt: run.createdAt - 60_000,
      finishedAt: 1,
      totals,
    }
    await own.store.runs.insert(behind)
    const next = await own.call('POST', PATH, { key: ADMIN_KEY, body: {} })
    expect([run.id, behind.id]).not.toContain(next.body.runId)
    expect(await own.store.runs.get(next.body.runId)).toMatchObject({ occurrence: behind.id, finishedAt: null })
  })

  test('how far it is; who asked is told and recorded', async () => {
    const { id, key } = await world.makeKey('operator', 'night shift')
    const { body } = await post({ platform: 'bluesky' }, key)
    const viewer = await world.makeKey('viewer')
    const run = await world.call('GET', `/api/admin/runs/${body.runId}`, { key: viewer.key })
    const counts = { total: 0, refreshed: 0, failed: 0, skipped: 0, deferred: 0 }
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    expect(run.status).toBe(200)
    expect(run.body).toEqual({
      id: body.runId,
      status: 'running',
      onlyPlatforms: ['bluesky'],
      requestedBy: `night shift (API key ${id})`,
      startedAt: time,
      finishedAt: null,
      totals: counts,
      platforms: {},
    })
    const bluesky = { ...counts, total: 2, refreshed: 1, failed: 1 }
    const totals = { ...bluesky, platforms: { bluesky } }
    await world.store.runs.advance(body.runId, null, { cursor: null, totals, finishedAt: Date.now() })
    const finished = await world.call('GET', `/api/admin/runs/${body.runId}`, { key: viewer.key })
    expect(finished.body).toMatchObject({
      status: 'finished',
      finishedAt: time,
      totals: bluesky,
      platforms: { bluesky },
    })
    expect(await world.store.audit.list({ limit: 100 })).toContainEqual(
      expect.objectContaining({ action: 'run.requested', actor: `night shift (API key ${id})`, detail: body.runId }),
    )
  })

  test.each([
    ['f'.repeat(24), 404, 'RUN_NOT_FOUND'],
    ['nonsense', 400, 'INVALID_REQUEST'],
  ])('a run that is not there: %s', async (id, status, code) => {
    const answer = await world.call('GET', `/api/admin/runs/${id}`, { key: ADMIN_KEY })
    expect(answer).toMatchObject({ status, body: { error: { code } } })
  })
})

describe('one account', () => {
  test('becomes a job in refresh-now, before all others; asked again it is the same job; recorded each time', async () => {
    const account = await world.addAccount()
    const first = await post({ accountId: account.id })
    expect(first.status).toBe(202)
    expect(await post({ accountId: account.id })).toMatchObject({ status: 202, body: first.body })
    const { queues } = await world.connectRedis()
    const job = await queues.refreshNow.getJob(first.body.jobId)
    expect(job?.data).toMatchObject({ accountId: account.id, type: 'manual', force: true })
    expect(job?.opts.priority ?? 0).toBe(0)
    const entries = await world.store.audit.list({ accountId: account.id, limit: 9 })
    expect(entries.map(({ action, actor }) => [action, actor])).toEqual(
      Array(2).fill(['account.refresh_requested', 'ADMIN_API_KEY (API key admin)']),
    )
  })

  test.each(['needs_action', 'quarantined'] as const)('one that is %s may be tried', async (status) => {
    const { id } = await world.addAccount({ status })
    expect((await post({ accountId: id })).status).toBe(202)
  })

  test.each([
    [{ status: 'paused' }, 'ACCOUNT_NEEDS_PERSON', 'This account is paused: resume it first.'],
    [
      { status: 'needs_reconnect', statusReason: 'BLUESKY_SESSION_EXPIRED' },
      'ACCOUNT_NEEDS_PERSON',
      /^This account has to be connected again\. BLUESKY_SESSION_EXPIRED: The session has expired/,
    ],
    [
      { status: 'needs_reconnect', statusReason: 'BLUESKY_MOVED https://new.host' },
      'ACCOUNT_NEEDS_PERSON',
      /BLUESKY_MOVED https:\/\/new\.host: The account moved to another host/,
    ],
    [{ status: 'removing' }, 'ACCOUNT_REMOVING', /being removed/],
    [{ platform: 'threads' }, 'PROVIDER_OFF', /not configured/],
  ] as const)('409 for one that is %o', async (overrides, code, message) => {
    const { id } = await world.addAccount(overrides)
    const answer = await post({ accountId: id })
    expect(answer).toMatchObject({ status: 409, body: failure(code, message) })
    expect(await world.store.audit.list({ accountId: id, limit: 9 })).toEqual([])
  })

  test('404 for one that is not there', async () => {
    expect(await post({ accountId: 'f'.repeat(24) })).toMatchObject({
      status: 404,
      body: failure('ACCOUNT_NOT_FOUND', 'There is no such account.'),
    })
  })
})

test('409 for a platform that is not configured', async () => {
  expect(await post({ platform: 'meta' })).toMatchObject({ status: 409, body: failure('PROVIDER_OFF', /configured/) })
})

describe('malformed requests are told what is wrong', () => {
  const id = 'a'.repeat(24)
  test.each([
    ['an id that is none', { accountId: 'nonsense' }, 400, /accountId: must be the id of an account \(24 hex digits\)/],
    ['an id of another type', { accountId: 7 }, 400, /accountId: must be a text/],
    ['an unknown platform', { platform: 'myspace' }, 400, /platform: must be one of bluesky, meta/],
    ['both', { accountId: id, platform: 'bluesky' }, 400, /accountId or platform, not both/],
    ['an unknown field', { account: id }, 400, /account/],
    ['a list', [], 400, /send a JSON object/],
    ['null', 'null', 400, /send a JSON object/],
    ['no JSON', '{"accountId":', 400, /not valid JSON/],
    ['nothing', '', 400, /empty: send a JSON object/],
    ['too much', { accountId: 'a'.repeat(100_000) }, 413, /too large/],
  ])('%s', async (_, body, status, message) => {
    expect(await post(body)).toMatchObject({ status, body: failure('INVALID_REQUEST', message) })
  })

  test('no body at all', async () => {
    const answer = await world.call('POST', PATH, { key: ADMIN_KEY })
    expect(answer).toMatchObject({ status: 400, body: failure('INVALID_REQUEST', /send a JSON object/) })
  })

  test('another type than JSON', async () => {
    const headers = { 'content-type': 'text/csv' }
    const answer = await world.call('POST', PATH, { key: ADMIN_KEY, headers, body: 'a,b' })
    expect(answer).toMatchObject({ status: 415, body: failure('INVALID_REQUEST', /Content-Type: application\/json/) })
  })

  test.each([
    ['GET', PATH],
    ['GET', '/nowhere'],
    ['POST', '/api/admin/runs/x'],
  ])('%s %s is nothing', async (method, path) => {
    const answer = await world.call(method, path, { key: ADMIN_KEY })
    expect(answer).toMatchObject({ status: 404, body: failure('NOT_FOUND', 'There is nothing at this address.') })
  })

  test('an address that cannot be read', async () => {
    const answer = await world.call('GET', '/api/%E0%A4%A', { key: ADMIN_KEY })
    expect(answer).toMatchObject({ status: 400, body: failure('INVALID_REQUEST', /address is malformed/) })
  })
})

describe('keys', () => {
  test('401 without one, for one that is unknown, wrong or revoked; the body is not looked at', async () => {
    const revoked = await world.makeKey('admin')
    await world.store.apiKeys.revoke(revoked.id, Date.now())
    const wrong = makeApiKey((await world.makeKey('admin')).id)
    const headersOf = [
      {},
      ...[revoked.key, wrong, makeApiKey(makeId()), ADMIN_KEY.slice(0, -1), `${ADMIN_KEY}x`, 'x'].map((key) => ({
        authorization: `Bearer ${key}`,
      })),
      { authorization: `Basic ${Buffer.from(`admin:${ADMIN_KEY}`).toString('base64')}` },
      { authorization: ADMIN_KEY },
    ]
    for (const headers of headersOf) {
      const answer = await world.call('POST', PATH, { headers, body: '{' })
      expect(answer).toMatchObject({ status: 401, body: failure('UNAUTHORIZED', /Authorization: Bearer KEY/) })
      expect(answer.headers.get('www-authenticate')).toBe('Bearer')
    }
    const run = await world.call('GET', `/api/admin/runs/${makeId()}`)
    expect(run.status).toBe(401)
  })

  test('403 for a viewer, and nothing is done', async () => {
    const { key } = await world.makeKey('viewer')
    const account = await world.addAccount()
    const answer = await post({ accountId: account.id }, key)
    expect(answer).toMatchObject({
      status: 403,
      body: failure('FORBIDDEN', /role viewer; this needs the role operator/),
    })
    const { queues } = await world.connectRedis()
    expect(await queues.refreshNow.getDeduplicationJobId(`account-${account.id}`)).toBeNull()
  })

  test('an operator may; a key that is revoked may no longer, at once', async () => {
    const { id, key } = await world.makeKey('operator')
    const account = await world.addAccount()
    expect((await post({ accountId: account.id }, key)).status).toBe(202)
    await world.store.apiKeys.revoke(id, Date.now())
    expect((await post({ accountId: account.id }, key)).status).toBe(401)
  })

  test('without ADMIN_API_KEY there is no key that always opens', async () => {
    await using own = await createWorld({ redisUrl: redis.url, env: { ADMIN_API_KEY: '' } })
    expect(own.lines.join()).toContain('there is no API key yet')
    for (const key of [ADMIN_KEY, 'undefined', 'admin']) {
      expect((await own.call('POST', PATH, { key, body: {} })).status).toBe(401)
    }
  })
})

describe('what is around', () => {
  test('the log tells of requests, not of their keys, queries or bodies', async () => {
    const { key } = await world.makeKey('operator')
    await world.call('POST', `${PATH}?access_token=planted-in-the-query`, {
      key,
      body: { accountId: 'planted-in-body' },
    })
    const line = world.lines.findLast((it) => it.includes('"status":400'))
    expect(JSON.parse(line!)).toMatchObject({ name: 'tokenkeeper:api', method: 'POST', path: PATH, status: 400 })
    for (const secret of [key, ADMIN_KEY, 'planted']) expect(world.lines.join()).not.toContain(secret)
  })

  test('every answer carries the headers of a strict policy', async () => {
    const { headers } = await post({ accountId: 'x' })
    expect(headers.get('content-security-policy')).toBe("default-src 'none';frame-ancestors 'none'")
    expect(headers.get('x-content-type-options')).toBe('nosniff')
  })

  test('OpenAPI describes it', async () => {
    const { status, body } = await world.call('GET', '/api/docs/json')
    expect(status).toBe(200)
    expect(body.openapi).toMatch(/^3\.1/)
    expect(Object.keys(body.paths).toSorted()).toEqual([
      '/api/admin/halts',
      '/api/admin/halts/{platform}',
      '/api/admin/refresh-tokens',
      '/api/admin/runs/{id}',
      '/healthz',
      '/readyz',
    ])
    const { requestBody, responses } = body.paths[PATH].post
    expect(Object.keys(requestBody.content['application/json'].schema.properties)).toEqual(['accountId', 'platform'])
    expect(Object.keys(responses)).toEqual(['202', '400', '401', '403', '404', '409', '503'])
  })

  test('too many requests of one address are refused; probes are not counted', async () => {
    await using own = await createWorld({ redisUrl: redis.url })
    const headers = { 'x-forwarded-for': '203.0.113.7' }
    const answers = await Promise.all(Array.from({ length: 1_001 }, () => own.call('GET', '/nothing', { headers })))
    const refused = answers.filter(({ status }) => status === 429)
    expect(refused.length).toBeGreaterThan(0)
    expect(refused[0]!.body).toEqual(failure('RATE_LIMITED', /wait/))
    expect((await own.call('GET', '/healthz', { headers })).status).toBe(200)
    expect((await own.call('GET', '/nothing')).status).toBe(404)
  })
})
