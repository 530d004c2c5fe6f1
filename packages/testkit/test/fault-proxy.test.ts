import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { tokenDigest } from '@tokenkeeper/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FaultRule, startFaultProxy, until } from '../src/index.ts'

/** A server that tells what reached it. */
let target: Server
let targetUrl: string
let processed: string[] = []

beforeAll(async () => {
  target = createServer(async (request, response) => {
    const body = await text(request)
    processed.push(`${request.method} ${request.url} ${body}`)
    response.writeHead(201, { 'content-type': 'application/json', 'x-own': 'kept' })
    response.end(JSON.stringify({ did: 'did:plc:right', authorization: request.headers.authorization, body }))
  }).listen(0, '127.0.0.1')
  await once(target, 'listening')
  targetUrl = `http://localhost:${(target.address() as AddressInfo).port}`
})
afterAll(() => target.close())

const REFRESH = '/xrpc/com.atproto.server.refreshSession'

/** A proxy with one fault in front of the target, and how to call it. */
async function setUp(rule?: FaultRule) {
  processed = []
  const proxy = await startFaultProxy({ target: targetUrl })
  const fault = rule && proxy.fault(rule)
  const call = (path = REFRESH, init: RequestInit = {}) =>
    fetch(`${proxy.url}${path}`, {
      method: 'POST',
      headers: { authorization: 'Bearer secret-token' },
      redirect: 'manual',
      ...init,
    })
  return { proxy, fault: fault!, call, [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose]() }
}

describe('without a fault', () => {
  test('forwards request and answer as they are', async () => {
    await using it = await setUp()
    const answer = await it.call('/some/path?q=1', { body: 'hello' })
    expect(answer.status).toBe(201)
    expect(answer.headers.get('x-own')).toBe('kept')
    expect(await answer.json()).toMatchObject({ authorization: 'Bearer secret-token', body: 'hello' })
    expect(processed).toEqual(['POST /some/path?q=1 hello'])
  })

  test('records every request', async () => {
    await using it = await setUp()
    const before = Date.now()
    await it.call()
    await it.call('/other', { method: 'GET', headers: {} })
    expect(it.proxy.requests).toMatchObject([
      { method: 'POST', path: REFRESH, tokenDigest: tokenDigest('secret-token'), status: 201 },
      { method: 'GET', path: '/other', tokenDigest: undefined, status: 201 },
    ])
    expect(it.proxy.requests[0]!.at).toBeGreaterThanOrEqual(before)
    expect(it.proxy.requestsTo('com.atproto.server.refreshSession')).toHaveLength(1)
    expect(it.proxy.requestsTo('/other')).toHaveLength(1)
    expect(it.proxy.requestsTo('other')).toHaveLength(0)
  })

  test('a target that is down gives no answer', async () => {
    await using proxy = await startFaultProxy({ target: 'http://localhost:9' })
    await expect(fetch(proxy.url)).rejects.toThrow()
    expect(proxy.requests).toMatchObject([{ status: undefined }])
  })
})

describe('a fault hits', () => {
  test('only what matches, and only so many times', async () => {
    await using it = await setUp({ kind: 'status', status: 502, times: 2, match: ({ path }) => path === REFRESH })
    expect((await it.call('/other')).status).toBe(201)
    expect((await it.call()).status).toBe(502)
    expect((await it.call()).status).toBe(502)
    expect((await it.call()).status).toBe(201)
    expect(it.fault.hits).toBe(2)
  })

  test('in the order added, until cleared', async () => {
    await using it = await setUp({ kind: 'status', status: 502, times: 1 })
    it.proxy.fault({ kind: 'status', status: 503 })
    expect([await it.call(), await it.call(), await it.call()].map(({ status }) => status)).toEqual([502, 503, 503])
    it.proxy.clear()
    expect((await it.call()).status).toBe(201)
  })
})

describe('not processed by the target', () => {
  test('drop_request', async () => {
    await using it = await setUp({ kind: 'drop_request' })
    await expect(it.call()).rejects.toThrow()
    expect(processed).toEqual([])
    expect(it.proxy.requests).toMatchObject([{ status: undefined }])
  })

  test('status with a body and headers of its own', async () => {
    await using it = await setUp({
      kind: 'status',
      status: 400,
      body: '{"error":"ExpiredToken"}',
      headers: { 'content-type': 'application/json' },
    })
    const answer = await it.call()
    expect([answer.status, await answer.json()]).toEqual([400, { error: 'ExpiredToken' }])
    expect(processed).toEqual([])
  })

  test('html_401', async () => {
    await using it = await setUp({ kind: 'html_401' })
    const answer = await it.call()
    expect(answer.status).toBe(401)
    expect(answer.headers.get('content-type')).toBe('text/html')
    expect(await answer.text()).toContain('<html>')
    expect(processed).toEqual([])
  })

  test('rate_limited, with and without a hint', async () => {
    await using it = await setUp({ kind: 'rate_limited', retryAfterS: 7, resetS: 1_900_000_000, times: 1 })
    it.proxy.fault({ kind: 'rate_limited' })
    const hinted = await it.call()
    expect(hinted.status).toBe(429)
    expect(hinted.headers.get('retry-after')).toBe('7')
    expect(hinted.headers.get('ratelimit-reset')).toBe('1900000000')
    expect(await hinted.json()).toEqual({ error: 'RateLimitExceeded', message: 'Rate Limit Exceeded' })
    const bare = await it.call()
    expect(bare.status).toBe(429)
    expect([bare.headers.get('retry-after'), bare.headers.get('ratelimit-reset')]).toEqual([null, null])
    expect(processed).toEqual([])
  })

  test('redirect', async () => {
    await using it = await setUp({ kind: 'redirect', to: 'http://localhost:9/elsewhere' })
    const answer = await it.call()
    expect([answer.status, answer.headers.get('location')]).toEqual([302, 'http://localhost:9/elsewhere'])
    expect(processed).toEqual([])
  })

  test('endless: goes on until the client hangs up', async () => {
    await using it = await setUp({ kind: 'endless' })
    const answer = await it.call()
    const reader = answer.body!.getReader()
    let bytes = 0
    while (bytes < 5_000_000) bytes += (await reader.read()).value!.length
    await reader.cancel()
    expect(answer.status).toBe(200)
    expect(processed).toEqual([])
  })

  test('hold_request: forwarded on release', async () => {
    await using it = await setUp({ kind: 'hold_request', times: 1 })
    const answer = it.call()
    await it.fault.reached
    expect(processed).toEqual([])
    expect((await it.call()).status).toBe(201)
    it.fault.release()
    expect((await answer).status).toBe(201)
    expect(processed).toHaveLength(2)
  })
})

describe('processed by the target', () => {
  test('drop_answer', async () => {
    await using it = await setUp({ kind: 'drop_answer', times: 1 })
    await expect(it.call()).rejects.toThrow()
    await it.fault.reached
    expect(processed).toHaveLength(1)
    expect(it.proxy.requests).toMatchObject([{ status: undefined }])
    expect((await it.call()).status).toBe(201)
  })

  test('delay', async () => {
    await using it = await setUp({ kind: 'delay', ms: 150 })
    const before = performance.now()
    expect((await it.call()).status).toBe(201)
    expect(performance.now() - before).toBeGreaterThan(140)
    expect(processed).toHaveLength(1)
  })

  test('hold: answered on release', async () => {
    await using it = await setUp({ kind: 'hold', times: 1 })
    const answer = it.call()
    await it.fault.reached
    expect(processed).toHaveLength(1)
    expect(it.proxy.requests).toMatchObject([{ status: undefined }])
    it.fault.release()
    expect((await answer).status).toBe(201)
  })

  test('clear lets go what a used up hold keeps', async () => {
    await using it = await setUp({ kind: 'hold', times: 1 })
    const answer = it.call()
    await it.fault.reached
    it.proxy.clear()
    expect((await answer).status).toBe(201)
  })

  test('a client that left a held request harms nothing', async () => {
    await using it = await setUp({ kind: 'hold', times: 1 })
    const left = new AbortController()
    const answer = it.call(REFRESH, { signal: left.signal })
    await it.fault.reached
    left.abort()
    await expect(answer).rejects.toThrow()
    await until(async () => (await it.call()).status === 201, { what: 'the next call to pass' })
    it.fault.release()
    expect((await it.call()).status).toBe(201)
  })

  test('truncate: a 200 that is no JSON, or that is cut', async () => {
    await using it = await setUp({ kind: 'truncate', times: 1 })
    it.proxy.fault({ kind: 'truncate', cut: true })
    const short = await it.call()
    expect(short.status).toBe(200)
    const body = await short.text()
    expect(body).toMatch(/^\{"did"/)
    expect(() => JSON.parse(body)).toThrow()
    const cut = await it.call()
    expect(cut.status).toBe(200)
    await expect(cut.text()).rejects.toThrow()
    expect(processed).toHaveLength(2)
  })

  test('rewrite', async () => {
    await using it = await setUp({
      kind: 'rewrite',
      rewrite: ({ status, headers, body }) => ({
        status: status + 1,
        headers: { ...headers, 'x-new': 'yes' },
        body: body.toString().replace('did:plc:right', 'did:plc:wrong'),
      }),
    })
    const answer = await it.call()
    expect([answer.status, answer.headers.get('x-own'), answer.headers.get('x-new')]).toEqual([202, 'kept', 'yes'])
    expect(await answer.json()).toMatchObject({ did: 'did:plc:wrong' })
    expect(processed).toHaveLength(1)
  })
})

test('disposing lets no held request keep it open', async () => {
  const it = await setUp({ kind: 'hold' })
  const answer = it.call()
  const failed = expect(answer).rejects.toThrow()
  await it.fault.reached
  await it[Symbol.asyncDispose]()
  await failed
})
