import type { Socket } from 'node:net'
import type { buildConnector } from 'undici'
import { describe, expect, test } from 'vitest'
import { createAddressGuard } from '../src/http/address-guard.ts'
import { ConnectFailedError, createConnector } from '../src/http/connector.ts'
import { createFetch, HttpResultError } from '../src/http/fetch.ts'
import { createHttp, type HttpOptions } from '../src/http/http.ts'
import { serve, serveJson, serveTcp } from './servers.ts'

const open = (options: Partial<HttpOptions> = {}) =>
  createHttp({ allowedPrivateHosts: ['127.0.0.1', 'localhost'], ...options })

describe('answers', () => {
  test('any status with headers and body; a POST without a body says so', async () => {
    await using server = await serveJson(418, { error: 'Teapot' }, { 'x-a': '1' })
    await using http = open()
    const result = await http.request({
      method: 'POST',
      url: `${server.url}/x`,
      headers: { authorization: 'Bearer t' },
    })
    expect(result).toMatchObject({ kind: 'answer', status: 418, headers: { 'x-a': '1' }, body: '{"error":"Teapot"}' })
    expect(server.requests).toEqual(['POST /x'])
    expect(server.headers[0]).toMatchObject({ 'content-length': '0', authorization: 'Bearer t' })
    expect(server.headers[0]).not.toHaveProperty('content-type')
    expect(server.headers[0]).not.toHaveProperty('transfer-encoding')
  })

  test('a redirect is an answer; its target sees nothing', async () => {
    await using target = await serveJson(200, {})
    await using server = await serve((_, response) => response.writeHead(307, { location: target.url }).end())
    await using http = open()
    expect(await http.request({ method: 'POST', url: server.url })).toMatchObject({ kind: 'answer', status: 307 })
    expect(target.requests).toEqual([])
  })
})

describe('surely not sent', () => {
  test('connection refused', async () => {
    const server = await serveJson(200, {})
    await server[Symbol.asyncDispose]()
    await using http = open()
    expect(await http.request({ method: 'GET', url: server.url })).toMatchObject({
      kind: 'not_sent',
      code: 'PROVIDER_UNREACHABLE',
      internal: expect.stringContaining('ECONNREFUSED'),
    })
  })

  test('no such name', async () => {
    await using http = open()
    const result = await http.request({ method: 'GET', url: 'https://pds.invalid' })
    expect(result).toMatchObject({ kind: 'not_sent', code: 'PROVIDER_UNREACHABLE' })
  })

  test('no TLS at the other side', async () => {
    await using server = await serveTcp((socket) => socket.on('data', () => socket.end('HTTP/1.1 400 Bad\r\n\r\n')))
    await using http = open()
    const result = await http.request({ method: 'GET', url: `https://127.0.0.1:${server.port}` })
    expect(result).toMatchObject({ kind: 'not_sent', code: 'PROVIDER_UNREACHABLE' })
  })

  test('a TLS handshake that never ends', async () => {
    await using server = await serveTcp(() => {})
    await using http = open({ connectTimeoutMs: 200 })
    const result = await http.request({ method: 'GET', url: `https://127.0.0.1:${server.port}` })
    expect(result).toMatchObject({ kind: 'not_sent', code: 'PROVIDER_UNREACHABLE' })
  })

  test.each(['http', 'https'])('%s to a private literal', async (scheme) => {
    await using server = await serveJson(200, {})
    await using http = open({ allowedPrivateHosts: [] })
    const result = await http.request({ method: 'GET', url: `${scheme}://127.0.0.1:${server.port}` })
    expect(result).toMatchObject({ kind: 'not_sent', code: 'ADDRESS_REFUSED' })
    expect(server.requests).toEqual([])
  })

  test('an address that is none', async () => {
    await using http = open()
    expect(await http.request({ method: 'GET', url: 'null/xrpc' })).toMatchObject({
      kind: 'not_sent',
      code: 'ADDRESS_INVALID',
    })
  })

  test('a token that is no header value', async () => {
    await using server = await serveJson(200, {})
    await using http = open()
    const headers = { authorization: 'Bearer a\r\nx: y' }
    const result = await http.request({ method: 'GET', url: server.url, headers })
    expect(result).toMatchObject({ kind: 'not_sent', internal: expect.not.stringContaining('x: y') })
    expect(server.requests).toEqual([])
  })
})

describe('unknown', () => {
  test('no answer in time', async () => {
    await using server = await serve(() => {})
    await using http = open()
    const result = await http.request({ method: 'POST', url: server.url, timeoutMs: 100 })
    expect(result).toMatchObject({ kind: 'unknown', reason: 'timeout' })
    expect(server.requests).toEqual(['POST /'])
  })

  test("the client's own limit is the longest", async () => {
    await using server = await serve(() => {})
    await using http = open({ timeoutMs: 100 })
    const result = await http.request({ method: 'POST', url: server.url, timeoutMs: 600_000 })
    expect(result).toMatchObject({ kind: 'unknown', reason: 'timeout' })
  })

  test('a body that drips past the limit', async () => {
    await using server = await serve((request, response) => {
      response.writeHead(200)
      const drip = setInterval(() => response.write('.'), 10)
      request.on('close', () => clearInterval(drip))
    })
    await using http = open({ timeoutMs: 300 })
    expect(await http.request({ method: 'GET', url: server.url })).toMatchObject({ kind: 'unknown', reason: 'timeout' })
  })

  test('the caller gave up', async () => {
    await using server = await serve(() => {})
    await using http = open()
    const result = await http.request({ method: 'POST', url: server.url, signal: AbortSignal.timeout(50) })
    expect(result.kind).toBe('unknown')
  })

  test('reset after the request arrived; it is not repeated', async () => {
    await using server = await serve((request) => request.socket.resetAndDestroy())
    await using http = open()
    expect(await http.request({ method: 'POST', url: server.url })).toMatchObject({ kind: 'unknown', reason: 'reset' })
    expect(server.requests).toEqual(['POST /'])
  })

  test('a kept connection that was closed meanwhile', async () => {
    let count = 0
    await using server = await serve((request, response) => {
      if (++count === 1) response.end('first')
      else request.socket.destroy()
    })
    await using http = open()
    expect(await http.request({ method: 'POST', url: server.url })).toMatchObject({ kind: 'answer', body: 'first' })
    expect(await http.request({ method: 'POST', url: server.url })).toMatchObject({ kind: 'unknown', reason: 'reset' })
    expect(server.requests).toHaveLength(2)
  })

  test('a truncated body', async () => {
    await using server = await serveTcp((socket) =>
      socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"did":')),
    )
    await using http = open()
    expect(await http.request({ method: 'POST', url: server.url })).toMatchObject({ kind: 'unknown', reason: 'reset' })
  })

  test('an answer that is not HTTP', async () => {
    await using server = await serveTcp((socket) => socket.on('data', () => socket.end('SSH-2.0-x\r\n\r\n')))
    await using http = open()
    const result = await http.request({ method: 'POST', url: server.url })
    expect(result).toMatchObject({ kind: 'unknown', reason: 'malformed' })
  })

  test.each(['announced', 'endless'])('a body too large, %s: the connection is closed', async (kind) => {
    let closed: Promise<unknown> | undefined
    await using server = await serve((request, response) => {
      closed = new Promise((resolve) => request.socket.on('close', resolve))
      request.socket.on('error', () => {})
      if (kind === 'announced') response.setHeader('content-length', 10_000_000)
      const pour = () => {
        while (!response.destroyed && response.write('x'.repeat(10_000)));
      }
      response.on('drain', pour)
      pour()
    })
    await using http = open({ maxBytes: 50_000 })
    const result = await http.request({ method: 'GET', url: server.url })
    expect(result).toMatchObject({ kind: 'unknown', reason: 'too_large' })
    await closed
  })

  test('endless headers', async () => {
    await using server = await serveTcp((socket: Socket) =>
      socket.on('data', () => socket.write(`HTTP/1.1 200 OK\r\n${'x: yyyyyyyyyy\r\n'.repeat(10_000)}`)),
    )
    await using http = open()
    const result = await http.request({ method: 'GET', url: server.url })
    expect(result).toMatchObject({ kind: 'unknown', reason: 'too_large' })
  })
})

describe('names that resolve to private addresses', () => {
  test.each(['http:', 'https:'])('are refused when the socket connects (%s)', async (protocol) => {
    let connections = 0
    await using server = await serveTcp(() => connections++)
    const target = { hostname: 'localhost', protocol, port: String(server.port) }
    const error = await connectError(createConnector(createAddressGuard([]), 1_000), target)
    expect(error).toBeInstanceOf(ConnectFailedError)
    expect(error?.cause).toMatchObject({ code: 'ADDRESS_REFUSED', internal: expect.stringMatching(/127\.0\.0\.1|::1/) })
    expect(connections).toBe(0)
  })

  test('so are literals that reach the socket', async () => {
    const target = { hostname: '[::1]', protocol: 'https:', port: '1' }
    const error = await connectError(createConnector(createAddressGuard([]), 1_000), target)
    expect(error?.cause).toMatchObject({ code: 'ADDRESS_REFUSED' })
  })

  test('an exception for one port is none for another', async () => {
    await using one = await serveJson(200, {})
    await using other = await serveJson(200, {})
    await using http = open({ allowedPrivateHosts: [`localhost:${one.port}`] })
    const get = (port: number) => http.request({ method: 'GET', url: `http://localhost:${port}` })
    expect(await get(one.port)).toMatchObject({ kind: 'answer', status: 200 })
    expect(await get(other.port)).toMatchObject({ kind: 'not_sent', code: 'ADDRESS_REFUSED' })
    expect(other.requests).toEqual([])
  })
})

function connectError(connect: buildConnector.connector, target: buildConnector.Options): Promise<Error | null> {
  return new Promise((resolve) => connect(target, (...[error]) => resolve(error)))
}

describe('createFetch', () => {
  test('a 2xx is a Response', async () => {
    await using server = await serveJson(200, { did: 'did:plc:x' })
    await using http = open()
    const answer = await createFetch(http, { timeoutMs: 1_000 })(`${server.url}/a`, { method: 'POST', body: '{}' })
    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual({ did: 'did:plc:x' })
    expect(server.requests).toEqual(['POST /a'])
    expect(server.headers[0]).toMatchObject({ 'content-length': '2' })
  })

  test('all else rejects with what it was', async () => {
    await using server = await serveJson(401, { error: 'x' })
    await using http = open()
    const fetch = createFetch(http, { timeoutMs: 1_000 })
    const error = await fetch(server.url).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(HttpResultError)
    expect(error).toMatchObject({ result: { kind: 'answer', status: 401, body: '{"error":"x"}' } })
    await expect(fetch('https://10.0.0.1')).rejects.toMatchObject({
      result: { kind: 'not_sent', code: 'ADDRESS_REFUSED' },
    })
  })

  test('redirects of a GET are followed where allowed, hop by hop through the guard', async () => {
    await using server = await serve((request, response) => {
      if (request.url === '/out') return response.writeHead(302, { location: 'https://10.0.0.1/' }).end()
      const hop = Number(request.url?.slice(1))
      if (hop === 3) return response.end('there')
      response.writeHead(302, { location: `/${hop + 1}` }).end()
    })
    await using http = open()
    const fetch = createFetch(http, { timeoutMs: 1_000, maxRedirects: 3 })
    expect(await (await fetch(`${server.url}/0`)).text()).toBe('there')
    await expect(fetch(`${server.url}/-1`)).rejects.toMatchObject({ result: { status: 302 } })
    await expect(fetch(`${server.url}/out`)).rejects.toMatchObject({ result: { code: 'ADDRESS_REFUSED' } })
    await expect(fetch(`${server.url}/0`, { method: 'POST' })).rejects.toMatchObject({ result: { status: 302 } })
    await expect(createFetch(http, { timeoutMs: 1_000 })(`${server.url}/0`)).rejects.toMatchObject({
      result: { status: 302 },
    })
  })
})
