import { appRoutes } from '@bull-board/api/dist/routes.js'
import { HOUR, makeId, systemClock } from '@tokenkeeper/core'
import { type RedisServer, startRedis } from '@tokenkeeper/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BoardSession, csrfOf, form, logIn } from './board-client.ts'
import { ADMIN_KEY, call, createWorld, openDatabase, REFUSE_AUDIT, type World } from './world.ts'

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

const HTML = { accept: 'text/html' }
const SESSION = 'tokenkeeper-session'

async function sessionOf(role: 'viewer' | 'operator' | 'admin', on = world) {
  const { id, key } = await on.makeKey(role)
  return { id, key, session: await logIn(on.url, key) }
}

const seesQueues = async (session: BoardSession) => (await session.call('GET', '/queues/api/queues')).status === 200

describe('login', () => {
  test('without a session people are sent to the login page, and scripts are told', async () => {
    for (const path of ['/queues', '/queues/', '/queues/queue/refresh', '/queues/static/favicon.ico']) {
      const answer = await world.call('GET', path, { headers: HTML })
      expect([answer.status, answer.headers.get('location')]).toEqual([302, '/queues/login'])
    }
    const api = await world.call('GET', '/queues/api/queues')
    expect([api.status, api.body]).toEqual([401, { error: 'The session is over: log in again.', code: 'UNAUTHORIZED' }])
    const bearer = await world.call('GET', '/queues/api/queues', { key: ADMIN_KEY })
    expect(bearer.status).toBe(401)
  })

  test('a key opens a session by a cookie that scripts and other sites cannot use', async () => {
    const { login } = await logIn(world.url, ADMIN_KEY)
    expect([login.status, login.headers.get('location')]).toEqual([303, '/queues/'])
    const cookie = login.headers.getSetCookie().find((line) => line.startsWith(`${SESSION}=`))
    expect(cookie).toMatch(/; Max-Age=28800; Path=\/; HttpOnly; SameSite=Strict$/)
    expect(cookie).not.toContain(ADMIN_KEY)
    expect(login.headers.get('cache-control')).toBe('no-store')
  })

  test('behind a proxy that speaks https it has the __Host- prefix and is Secure; neither is taken for the other', async () => {
    const https = { 'x-forwarded-proto': 'https' }
    const session = await logIn(world.url, ADMIN_KEY, https)
    const cookie = session.login.headers.getSetCookie().find((line) => line.startsWith(`__Host-${SESSION}=`))
    expect(cookie).toMatch(/; Path=\/; HttpOnly; Secure; SameSite=Strict$/)
    expect(await seesQueues(session)).toBe(true)
    const value = session.cookies.get(`__Host-${SESSION}`)
    const plain = { headers: { ...https, cookie: `${SESSION}=${value}` } }
    expect((await world.call('GET', '/queues/api/queues', plain)).status).toBe(401)
  })

  test.each([
    ['a wrong key', 'tk_nonsense'],
    ['nothing', ''],
  ])('%s is refused on the same page', async (_, key) => {
    const { login, cookies } = await logIn(world.url, key)
    expect(login.status).toBe(401)
    expect(login.text).toContain('This is no valid API key.')
    expect(cookies.has(SESSION)).toBe(false)
  })

  test('what is typed is not shown again, as HTML or otherwise', async () => {
    const { login } = await logIn(world.url, '<script>alert(1)</script>')
    expect(login.text).not.toContain('alert(1)')
  })

  test('a form of another site is refused', async () => {
    const headers = form({ key: ADMIN_KEY }).headers!
    const body = form({ key: ADMIN_KEY }).body
    const bare = await world.call('POST', '/queues/login', { headers, body })
    expect(bare.status).toBe(403)
    expect(bare.text).toContain('The page has expired')
    const page = await world.call('GET', '/queues/login', { headers: HTML })
    const stolen = form({ key: ADMIN_KEY, _csrf: csrfOf(page) })
    expect((await world.call('POST', '/queues/login', stolen)).status).toBe(403)
  })

  test('is tried ten times a minute by one address, whatever it says of itself, unless a proxy is trusted', async () => {
    await using own = await createWorld({ redisUrl: redis.url, env: { TRUSTED_PROXIES: '' } })
    const tries = Array.from({ length: 11 }, () => logIn(own.url, 'wrong', { 'x-forwarded-proto': 'https' }))
    const logins = (await Promise.all(tries)).map(({ login }) => login)
    expect(logins.map(({ status }) => status).toSorted()).toEqual([...Array(10).fill(401), 429])
    for (const { headers } of logins) expect(headers.getSetCookie().join()).not.toMatch(/secure/i)
    expect(own.lines.join()).not.toContain('198.51.')
  })

  test('is tried ten times a minute by one address, no more', async () => {
    const headers = { 'x-forwarded-for': '203.0.113.9' }
    const statuses: number[] = []
    for (let i = 0; i < 11; i++) statuses.push((await logIn(world.url, 'wrong', headers)).login.status)
    expect(statuses).toEqual([...Array(10).fill(401), 429])
    expect((await logIn(world.url, ADMIN_KEY, headers)).login).toMatchObject({
      status: 429,
      text: expect.stringContaining('Too many requests'),
    })
    expect((await logIn(world.url, ADMIN_KEY)).login.status).toBe(303)
  })
})

describe('a session', () => {
  test('ends by logging out, which takes a form too', async () => {
    const { id, session } = await sessionOf('viewer')
    const cookie = `${SESSION}=${session.cookies.get(SESSION)}`
    const page = await session.call('GET', '/queues/logout', { headers: HTML })
    expect(page.text).toMatch(/Logged in by the key <b>a viewer<\/b> as viewer, until\s\d{4}-\d\d-\d\d \d\d:\d\d UTC/)
    expect((await session.call('POST', '/queues/logout', form({ _csrf: 'x' }))).status).toBe(403)
    expect(await seesQueues(session)).toBe(true)
    const out = await session.call('POST', '/queues/logout', form({ _csrf: csrfOf(page) }))
    expect([out.status, out.headers.get('location')]).toEqual([303, '/queues/login'])
    expect(await seesQueues(session)).toBe(false)
    expect(session.cookies.has(SESSION)).toBe(false)
    // Nor can anybody who copied the cookie use it, at any process.
    for (const { url } of [world, await world.startAnother()]) {
      expect((await call(url, 'GET', '/queues/api/queues', { headers: { cookie } })).status).toBe(401)
    }
    const entries = await world.store.audit.list({ limit: 100 })
    expect(entries).toContainEqual(
      expect.objectContaining({ action: 'session.ended', actor: `a viewer (API key ${id})` }),
    )
  })

  test('goes on when another of the same key is ended', async () => {
    const { key, session } = await sessionOf('viewer')
    const other = await logIn(world.url, key)
    const page = await other.call('GET', '/queues/logout', { headers: HTML })
    await other.call('POST', '/queues/logout', form({ _csrf: csrfOf(page) }))
    expect([await seesQueues(session), await seesQueues(other)]).toEqual([true, false])
  })

  test('goes on, and says so, when its end cannot be recorded', async () => {
    await using own = await createWorld({ redisUrl: redis.url })
    const session = await logIn(own.url, ADMIN_KEY)
    const page = await session.call('GET', '/queues/logout', { headers: HTML })
    using database = openDatabase(own)
    database.exec(REFUSE_AUDIT)
    const out = await session.call('POST', '/queues/logout', form({ _csrf: csrfOf(page) }))
    expect(out.status).toBe(500)
    expect(await seesQueues(session)).toBe(true)
    database.exec('DROP TRIGGER refuse_audit')
    await session.call('POST', '/queues/logout', form({ _csrf: csrfOf(page) }))
    expect(await seesQueues(session)).toBe(false)
  })

  test('ends at once when its key is revoked', async () => {
    const { id, session } = await sessionOf('admin')
    expect(await seesQueues(session)).toBe(true)
    await world.store.apiKeys.revoke(id, Date.now())
    expect(await seesQueues(session)).toBe(false)
  })

  test('ends when ADMIN_API_KEY is changed, and holds for every process and restart', async () => {
    await using own = await createWorld({ redisUrl: redis.url })
    const session = await logIn(own.url, ADMIN_KEY)
    const cookie = `${SESSION}=${session.cookies.get(SESSION)}`
    const { url } = await own.startAnother()
    expect((await call(url, 'GET', '/queues/api/queues', { headers: { cookie } })).status).toBe(200)
    const adminKey = { ...own.config.api, adminKey: { reveal: () => `${ADMIN_KEY}-another` } as never }
    const changed = await own.startAnother({ api: adminKey })
    expect((await call(changed.url, 'GET', '/queues/api/queues', { headers: { cookie } })).status).toBe(401)
  })

  test('ends after eight hours', async () => {
    let now = Date.now()
    await using own = await createWorld({ redisUrl: redis.url, clock: { ...systemClock, now: () => now } })
    const session = await logIn(own.url, ADMIN_KEY)
    now += 8 * HOUR - 1_000
    expect(await seesQueues(session)).toBe(true)
    now += 1_000
    expect(await seesQueues(session)).toBe(false)
  })

  test('cannot be made up: any change of the cookie is noticed', async () => {
    const { id, session } = await sessionOf('viewer')
    const admin = (await logIn(world.url, ADMIN_KEY)).cookies.get(SESSION)!
    const value = session.cookies.get(SESSION)!
    const forged = [
      value.replace(id, 'admin'),
      value.replace(/\.\d+\./, '.99999999999999.'),
      value.slice(0, -1),
      `${admin.slice(0, admin.lastIndexOf('.'))}${value.slice(value.lastIndexOf('.'))}`,
      session.cookies.get('tokenkeeper-csrf')!,
      'admin',
    ]
    for (const cookie of forged) {
      const headers = { cookie: `${SESSION}=${cookie}` }
      expect((await world.call('GET', '/queues/api/queues', { headers })).status).toBe(401)
    }
  })
})

/** Every route by which Bull Board changes something, with parameters filled in. */
const CHANGES = appRoutes.api.flatMap(({ method, route }) =>
  [method]
    .flat()
    .flatMap((verb) =>
      verb === 'get' ? [] : [route].flat().map((path) => ({ method: verb.toUpperCase(), route: path })),
    ),
)
const ALLOWED = [
  '/api/queues/pause',
  '/api/queues/resume',
  '/api/queues/:queueName/pause',
  '/api/queues/:queueName/resume',
  '/api/queues/:queueName/promote',
  '/api/queues/:queueName/retry/:queueStatus',
  '/api/queues/:queueName/:jobId/retry',
  '/api/queues/:queueName/:jobId/promote',
]

function fill(route: string, params: Readonly<Record<string, string>> = {}): string {
  const values: Record<string, string> = { queueName: 'refresh', jobId: '1', queueStatus: 'failed', schedulerId: 'x' }
  return `/queues${route.replaceAll(/:(\w+)/g, (_, name) => params[name] ?? values[name]!)}`
}

describe('what may be changed', () => {
  test('Bull Board still has the routes that are allowed, and many others', () => {
    expect(CHANGES.map(({ route }) => route)).toEqual(expect.arrayContaining(ALLOWED))
    expect(CHANGES.length).toBeGreaterThan(20)
  })

  test('by a viewer, nothing', async () => {
    const { session } = await sessionOf('viewer')
    for (const { method, route } of CHANGES) {
      const answer = await session.call(method, fill(route), { body: {} })
      expect([route, answer.status, answer.body.code]).toEqual([route, 403, 'FORBIDDEN'])
    }
    const { body } = await session.call('GET', '/queues/api/queues')
    for (const queue of body.queues) expect(queue).toMatchObject({ readOnlyMode: true, allowRetries: false })
  })

  test('by an admin, what is on the list alone', async () => {
    await using own = await createWorld({ redisUrl: redis.url })
    const session = await logIn(own.url, ADMIN_KEY)
    const { queues } = await own.connectRedis()
    const job = await queues.refresh.add('refresh-account', { accountId: makeId(), type: 'manual' } as never)
    await queues.schedule.upsertJobScheduler('x', { every: 60_000 }, { name: 'sweep', data: {} })
    const keys = async () => (await (await own.connectRedis()).redis.producer.keys('*')).length
    const before = await keys()
    for (const { method, route } of CHANGES.filter(({ route }) => !ALLOWED.includes(route))) {
      const params = { jobId: job.id!, queueName: route.includes('scheduler') ? 'schedule' : 'refresh' }
      const answer = await session.call(method, fill(route, params), { body: { force: true } })
      expect([route, answer.status]).toEqual([route, 403])
    }
    expect(await keys()).toBe(before)
    expect((await queues.refresh.getJob(job.id!))?.data).toEqual(job.data)
    expect(await queues.schedule.getJobScheduler('x')).toMatchObject({ every: 60_000 })
    expect(await own.store.audit.list({ limit: 9 })).toEqual([])
  })

  test('by no request without the token of this very session', async () => {
    const { session } = await sessionOf('operator')
    const other = (await sessionOf('operator')).session
    const path = '/queues/api/queues/refresh/pause'
    const foreign = decodeURIComponent(other.cookies.get('XSRF-TOKEN')!)
    for (const token of ['', 'x', foreign]) {
      const answer = await session.call('PUT', path, { headers: { 'x-xsrf-token': token } })
      expect([answer.status, answer.body.code]).toEqual([403, 'FORBIDDEN'])
    }
    const loginForm = csrfOf(await call(world.url, 'GET', '/queues/login', { headers: HTML }))
    expect((await session.call('PUT', path, { headers: { 'x-xsrf-token': loginForm } })).status).toBe(403)
    expect(await (await world.connectRedis()).queues.refresh.isPaused()).toBe(false)
  })

  test('pause, resume and promote by an operator, each recorded', async () => {
    await using own = await createWorld({ redisUrl: redis.url })
    const { id, session } = await sessionOf('operator', own)
    const { queues } = await own.connectRedis()
    const delayed = await queues.refresh.add('x', { accountId: makeId(), type: 'manual' } as never, { delay: 60_000 })
    const steps: [path: string, done: () => Promise<unknown>][] = [
      [
        '/api/queues/refresh/pause',
        async () => (await queues.refresh.isPaused()) && !(await queues.refreshNow.isPaused()),
      ],
      ['/api/queues/refresh/resume', async () => !(await queues.refresh.isPaused())],
      ['/api/queues/pause', async () => (await queues.refreshNow.isPaused()) && queues.schedule.isPaused()],
      ['/api/queues/resume', async () => !(await queues.refreshNow.isPaused())],
      [`/api/queues/refresh/${delayed.id}/promote`, async () => (await delayed.getState()) === 'waiting'],
      ['/api/queues/refresh/promote', async () => true],
    ]
    for (const [path, done] of steps) {
      expect((await session.call('PUT', `/queues${path}`)).status).toBeLessThan(300)
      expect(await done()).toBe(true)
    }
    const entries = (await own.store.audit.list({ limit: 9 })).toReversed()
    expect(new Set(entries.map(({ actor }) => actor))).toEqual(new Set([`a operator (API key ${id})`]))
    expect(entries.map(({ action, detail }) => `${action} ${detail}`).toSorted()).toEqual([
      'job.promoted refresh',
      `job.promoted refresh/${delayed.id}`,
      'queue.paused all queues',
      'queue.paused refresh',
      'queue.resumed all queues',
      'queue.resumed refresh',
    ])
  })

  test('a tick of a schedule is not brought forward, by itself or with its queue', async () => {
    await using own = await createWorld({ redisUrl: redis.url })
    const session = await logIn(own.url, ADMIN_KEY)
    const { queues } = await own.connectRedis()
    const tick = await queues.schedule.upsertJobScheduler('x', { pattern: '0 0 1 1 *' }, { name: 'sweep', data: {} })
    const step = await queues.schedule.add('run', { runId: makeId(), waits: 0 }, { delay: HOUR })
    for (const path of [`schedule/${encodeURIComponent(tick!.id!)}/promote`, 'schedule/promote']) {
      const answer = await session.call('PUT', `/queues/api/queues/${path}`)
      expect(answer).toMatchObject({
        status: 409,
        body: {
          code: 'JOB_STATE',
          error: 'A tick of a schedule cannot be brought forward: start a run by the API instead.',
        },
      })
    }
    expect(await own.store.audit.list({ limit: 9 })).toEqual([])
    expect(await tick!.getState()).toBe('delayed')
    expect((await session.call('PUT', `/queues/api/queues/schedule/${step.id}/promote`)).status).toBe(204)
    expect(await step.getState()).toBe('waiting')
  })

  test.each(['/api/queues/nonsense/pause', '/api/queues/refresh/4711/promote', '/api/queues/refresh/4711/retry'])(
    'what is not there is told, and not recorded: %s',
    async (path) => {
      await using own = await createWorld({ redisUrl: redis.url })
      const session = await logIn(own.url, ADMIN_KEY)
      const answer = await session.call('PUT', `/queues${path}`)
      expect([answer.status, answer.body]).toEqual([
        404,
        { error: 'There is no such queue or job.', code: 'NOT_FOUND' },
      ])
      expect(await own.store.audit.list({ limit: 9 })).toEqual([])
    },
  )
})
