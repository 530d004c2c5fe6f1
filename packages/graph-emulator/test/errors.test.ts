import { describe, expect, test } from 'vitest'
import { ERROR_NAMES, ERROR_TABLE, type ErrorRow } from '../src/index.ts'
import { createTestWorld, errorOf } from './world.ts'

describe('every row of the table', () => {
  test.each(ERROR_NAMES)('%s', async (name) => {
    await using world = await createTestWorld()
    const token = world.connect()
    world.control.inject({ error: name })
    const answer = await world.get('/v26.0/me', { access_token: token })
    const row: ErrorRow = ERROR_TABLE[name]
    const said = answer.body.error?.message ?? answer.body.error_message ?? answer.body.error_msg
    expect(said).not.toMatch(/\{\w+\}/)
    // The table's words around the placeholders.
    for (const words of row.message.split(/\{\w+\}/)) expect(said).toContain(words)
    expect(answer.status).toBe(row.status)
    expect(answer.headers.get('www-authenticate')).toMatch(/^OAuth "Facebook Platform" "\w+" ".+"$/)
    expect(answer.headers.get('facebook-api-version')).toBe('v26.0')
    if (row.shape === 'flat') {
      expect(answer.body).toEqual({ error_code: row.code, error_msg: said, error_reason: 'unknown' })
    } else if (row.shape === 'instagram_oauth') {
      expect(answer.body).toEqual({ error_type: 'OAuthException', code: row.code, error_message: said })
    } else if (row.shape === 'threads_oauth') {
      expect(answer.body).toEqual({ error_message: row.message, error_code: row.code })
    } else {
      const error = errorOf(answer)
      expect(error.code).toBe(row.code)
      expect(error.error_subcode).toBe(row.subcode)
      expect(error.is_transient).toBe(row.transient)
      expect(error.type).toBe(row.type ?? 'OAuthException')
    }
    expect((await world.get('/v26.0/me', { access_token: token })).status).toBe(200)
  })

  test('has each pair of code and subcode that the table of meanings tells apart', () => {
    const rows: ErrorRow[] = ERROR_NAMES.map((name) => ERROR_TABLE[name])
    const known = new Set(rows.map(({ code, subcode }) => (subcode === undefined ? `${code}` : `${code}/${subcode}`)))
    const codes = '1 2 3 4 9 10 17 32 99 100 101 102 190 191 200 210 299 341 368 506 613 2500 2635 2642'.split(' ')
    const limits = '80000 80001 80002 80006 80014 613/1996'.split(' ')
    const dead = '458 459 460 461 463 464 466 467 468 492 493'.split(' ').map((subcode) => `190/${subcode}`)
    for (const one of [...codes, ...limits, ...dead, '100/33', '100/36009', '1/2853001']) expect(known).toContain(one)
  })
})

describe('an injection', () => {
  test('acts instead of the request: a code is not used up', async () => {
    await using world = await createTestWorld()
    world.control.grant(world.both)
    const token = world.connect()
    world.control.inject({ error: 'unknown', path: /access_token$/, method: 'POST', times: 2 })
    expect((await world.exchange(token)).status).toBe(500)
    expect((await world.get('/me', { access_token: token })).status).toBe(200)
    expect((await world.exchange(token)).status).toBe(500)
    expect((await world.exchange(token)).status).toBe(200)
  })

  test('fits by app, user, Page, token, host and path', async () => {
    await using world = await createTestWorld()
    const { control, app, user } = world
    const pageId = world.addPage()
    const token = world.connect()
    const pageToken = (await world.accounts(token)).body.data[0].access_token
    const status = async (access_token: string) => (await world.get('/me', { access_token })).status
    const statuses = async () => [await status(token), await status(pageToken)]
    const during = async (injection: Parameters<typeof control.inject>[0]) => {
      const { id } = control.inject({ error: 'app_limit', times: null, ...injection })
      const seen = await statuses()
      control.clearInjections({ id })
      return seen
    }
    expect(await during({ appId: app.id })).toEqual([403, 403])
    expect(await during({ userId: user.id })).toEqual([403, 403])
    expect(await during({ pageId })).toEqual([200, 403])
    const { requests } = control.requests()
    expect(await during({ tokenDigest: requests.at(-2)!.tokenDigests[0] })).toEqual([403, 200])
    expect(await during({ appId: '1' })).toEqual([200, 200])
    expect(await during({ userId: '1' })).toEqual([200, 200])
    expect(await during({ host: 'instagram' })).toEqual([200, 200])
    expect(await during({ path: '^/me/' })).toEqual([200, 200])
    expect(await during({ path: '^/me$' })).toEqual([403, 403])
    expect(await statuses()).toEqual([200, 200])
  })

  test('can be any answer, and repeat the token', async () => {
    await using world = await createTestWorld()
    const token = world.connect()
    const me = () => world.get('/me', { access_token: token })
    world.control.inject({ answer: { status: 502, headers: { 'content-type': 'text/html' }, body: '<h1>Sorry</h1>' } })
    world.control.inject({ answer: { status: 200, body: { error: { message: 'Bad {token}', code: 190 } } } })
    world.control.inject({ answer: { status: 503, body: '' } })
    world.control.inject({ error: 'token_malformed' })
    const html = await me()
    expect([html.status, html.headers.get('content-type'), html.body]).toEqual([502, 'text/html', '<h1>Sorry</h1>'])
    expect((await me()).body).toEqual({ error: { message: `Bad ${token}`, code: 190 } })
    expect(await me()).toMatchObject({ status: 503, body: '' })
    expect(errorOf(await me()).message).toBe(`Malformed access token ${token}`)
  })

  test('all are cleared at once', async () => {
    await using world = await createTestWorld()
    world.control.inject({ error: 'unknown', times: null })
    world.control.inject({ error: 'unknown', times: null })
    world.control.clearInjections()
    expect((await world.get('/me', { access_token: world.connect() })).status).toBe(200)
    expect(() => world.control.clearInjections({ id: 1 })).toThrow('There is no injection 1.')
    expect(() => world.control.inject({})).toThrow(/needs error or answer/)
  })
})
