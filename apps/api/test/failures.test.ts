import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { startRedis, until } from '@tokenkeeper/testkit'
import { expect, test } from 'vitest'
import { ADMIN_KEY, call, createWorld } from './world.ts'

/** An answer as it comes over the wire. */
function parse(answer: string) {
  const [head = '', body = ''] = answer.split('\r\n\r\n')
  const [first = '', ...lines] = head.split('\r\n')
  const headers = Object.fromEntries(lines.map((line) => line.toLowerCase().split(/: (.*)/, 2)))
  return { status: Number(first.split(' ')[1]), headers, body: JSON.parse(body) }
}

async function open(url: string) {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  await once(socket, 'connect')
  return { socket, answer: text(socket).then(parse) }
}

async function send(url: string, request: string) {
  const { socket, answer } = await open(url)
  socket.write(request)
  return answer
}

const GET = (path: string, header = '') => `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${header}\r\n`

test('every failure has the documented form and the headers of a strict policy', async () => {
  await using redis = await startRedis()
  await using world = await createWorld({ redisUrl: redis.url })
  for (const [request, status, code, message] of [
    [GET('/healthz', `X: ${'x'.repeat(16_500)}\r\n`), 431, 'INVALID_REQUEST', 'The headers are too large.'],
    ['nonsense\r\n\r\n', 400, 'INVALID_REQUEST', 'This is no valid HTTP request.'],
    [GET('/%E0%A4%A'), 400, 'INVALID_REQUEST', 'The address is malformed.'],
    [GET(`/api/admin/runs/${'a'.repeat(200)}`), 404, 'NOT_FOUND', 'There is nothing at this address.'],
    [GET('/nothing'), 404, 'NOT_FOUND', 'There is nothing at this address.'],
  ] as const) {
    const answer = await send(world.url, request)
    expect(answer).toMatchObject({ status, body: { error: { code, message } } })
    expect(answer.headers).toMatchObject({
      'content-type': expect.stringMatching(/^application\/json/),
      'content-security-policy': "default-src 'none';frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
    })
  }
})

test('what arrives while the process ends is answered', async () => {
  await using redis = await startRedis()
  await using world = await createWorld({ redisUrl: redis.url })
  const { url, end } = await world.startAnother()
  const { socket, answer } = await open(url)
  const request = GET('/healthz')
  socket.write(request.slice(0, 20))
  // By the time that this one is answered, the beginning of the other has been read.
  expect((await call(url, 'GET', '/healthz')).status).toBe(200)
  const ended = end()
  await until(() => refuses(url), { what: 'the API to listen no more' })
  socket.write(request.slice(20))
  expect(await answer).toMatchObject({ status: 200, body: { status: 'ok' } })
  await ended
})

async function refuses(url: string): Promise<boolean> {
  const { socket } = await open(url).catch(() => ({ socket: null }))
  socket?.destroy()
  return socket === null
}

test('no answer speaks for other hosts of the domain: that is the proxy’s', async () => {
  await using redis = await startRedis()
  await using world = await createWorld({ redisUrl: redis.url })
  for (const path of ['/healthz', '/queues/login', '/nothing']) {
    const { headers } = await world.call('GET', path, { key: ADMIN_KEY, headers: { 'x-forwarded-proto': 'https' } })
    expect([path, headers.get('strict-transport-security')]).toEqual([path, null])
  }
})
