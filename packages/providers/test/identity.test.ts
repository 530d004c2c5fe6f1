import { systemClock } from '@tokenkeeper/core'
import { describe, expect, test } from 'vitest'
import { findHome, resolveHandle } from '../src/bluesky/identity.ts'
import { createHttp } from '../src/index.ts'
import { serve, serveJson } from './servers.ts'

const DID = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz'

function document(serviceEndpoint: unknown, id = DID) {
  return { id, service: [{ id: '#atproto_pds', type: 'AtprotoPersonalDataServer', serviceEndpoint }] }
}

const openHttp = (...allowedPrivateHosts: string[]) => createHttp({ allowedPrivateHosts })

describe('a did:plc', () => {
  test.each<[string, number, unknown, object]>([
    [
      'its host, as an origin',
      200,
      document('https://pds.example.com/'),
      { kind: 'found', origin: 'https://pds.example.com' },
    ],
    ['unknown', 404, { message: 'DID not registered' }, { kind: 'gone' }],
    ['tombstoned', 410, { message: 'DID not available' }, { kind: 'gone' }],
    ['without a host', 200, { id: DID }, { kind: 'gone' }],
    ['with a host that no name can have', 200, document(`https://${'a.'.repeat(200)}example.com`), { kind: 'gone' }],
    ['the directory is broken', 502, {}, { kind: 'unknown' }],
    ['the directory asks to wait', 429, {}, { kind: 'unknown' }],
    ['the directory redirects', 302, {}, { kind: 'unknown' }],
    ["another DID's document", 200, document('https://evil.example.com', 'did:plc:other'), { kind: 'unknown' }],
    ['no document', 200, [1], { kind: 'unknown' }],
  ])('%s', async (_, status, body, home) => {
    await using plc = await serveJson(status, body)
    await using http = openHttp(`127.0.0.1:${plc.port}`)
    expect(await findHome({ http, clock: systemClock, plcUrl: plc.url }, DID)).toMatchObject(home)
    expect(plc.requests).toEqual([`GET /${encodeURIComponent(DID)}`])
  })

  test('nothing is cached', async () => {
    await using plc = await serveJson(200, document('https://pds.example.com'))
    await using http = openHttp('127.0.0.1')
    const options = { http, clock: systemClock, plcUrl: plc.url }
    await findHome(options, DID)
    await findHome(options, DID)
    expect(plc.requests).toHaveLength(2)
  })
})

describe('a did:web', () => {
  test('is fetched through the guard, which lets it pass', async () => {
    await using web = await serve((_, response) => {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(document('https://pds.example.com', did)))
    })
    const did = `did:web:localhost%3A${web.port}`
    await using http = openHttp(`localhost:${web.port}`)
    const home = await findHome({ http, clock: systemClock, plcUrl: 'https://plc.invalid' }, did)
    expect(home).toEqual({ kind: 'found', origin: 'https://pds.example.com' })
    expect(web.requests).toEqual(['GET /.well-known/did.json'])
  })

  test('in a private network is not fetched', async () => {
    await using web = await serveJson(200, {})
    await using http = openHttp()
    for (const host of ['localhost', '127.0.0.1']) {
      const did = `did:web:${host}%3A${web.port}`
      expect(await findHome({ http, clock: systemClock, plcUrl: 'https://plc.invalid' }, did)).toMatchObject({
        kind: 'unknown',
      })
    }
    expect(web.requests).toEqual([])
  })

  test.each([
    [404, 'gone'],
    [503, 'unknown'],
  ])('a %i means %s', async (status, kind) => {
    await using web = await serveJson(status, {})
    await using http = openHttp('localhost')
    const did = `did:web:localhost%3A${web.port}`
    expect(await findHome({ http, clock: systemClock, plcUrl: 'https://plc.invalid' }, did)).toMatchObject({ kind })
  })
})

test.each(['did:key:zQ3sh', 'did:web:example.com:path', 'no did'])('%s has no home that we know', async (did) => {
  await using http = openHttp()
  expect(await findHome({ http, clock: systemClock, plcUrl: 'https://plc.invalid' }, did)).toMatchObject({
    kind: 'unknown',
  })
})

test('a handle that nobody answers for', async () => {
  await using http = openHttp()
  expect(await resolveHandle({ http, clock: systemClock, plcUrl: 'https://plc.invalid' }, 'alice.invalid')).toBeNull()
})
