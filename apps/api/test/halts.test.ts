import type { Halt } from '@tokenkeeper/core'
import { buildHalt } from '@tokenkeeper/store/conformance'
import { type RedisServer, startRedis } from '@tokenkeeper/testkit'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createWorld, openDatabase, REFUSE_AUDIT, type World } from './world.ts'

let redis: RedisServer
let world: World
beforeAll(async () => {
  redis = await startRedis()
  world = await createWorld({ redisUrl: redis.url })
})
afterEach(async () => {
  for (const halt of await world.store.halts.list()) await world.store.halts.remove(halt)
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
  await redis[Symbol.asyncDispose]()
})

const PATH = '/api/admin/halts'

async function addHalt(overrides: Partial<Halt>): Promise<Halt> {
  const halt = buildHalt(overrides)
  await world.store.halts.insert(halt)
  return halt
}

test('a viewer sees what is halted, why, since when, and when it is tried again; the oldest first', async () => {
  const { key } = await world.makeKey('viewer')
  expect(await world.call('GET', PATH, { key })).toMatchObject({ status: 200, body: { halts: [] } })
  const since = Date.parse('2027-01-15T02:00:00.000Z')
  const suspected = await addHalt({ platform: 'threads', state: 'suspected', code: 'META_PROOF_REFUSED', since })
  const halt = await addHalt({ platform: 'meta', since: since - 1_000, probeAt: since })
  expect((await world.call('GET', PATH, { key })).body).toEqual({
    halts: [
      {
        platform: 'meta',
        appId: halt.providerAppId,
        state: 'halted',
        code: 'META_APP_SECRET_WRONG',
        message: expect.stringContaining('check it in the configuration'),
        suspects: halt.suspects,
        since: '2027-01-15T01:59:59.000Z',
        probeAt: '2027-01-15T02:00:00.000Z',
      },
      expect.objectContaining({ platform: 'threads', appId: suspected.providerAppId, state: 'suspected' }),
    ],
  })
})

test('an operator ends the halts of a platform, of one app or of all, which is recorded', async () => {
  const { id, key } = await world.makeKey('operator', 'night shift')
  const [one, two] = [await addHalt({ platform: 'meta' }), await addHalt({ platform: 'meta' })]
  await addHalt({ platform: 'threads' })
  const first = await world.call('DELETE', `${PATH}/meta?appId=${two.providerAppId}`, { key })
  expect(first).toMatchObject({ status: 200, body: { halts: [{ platform: 'meta', appId: two.providerAppId }] } })
  const second = await world.call('DELETE', `${PATH}/meta`, { key })
  expect(second).toMatchObject({ status: 200, body: { halts: [{ platform: 'meta', appId: one.providerAppId }] } })
  expect((await world.store.halts.list()).map(({ platform }) => platform)).toEqual(['threads'])
  const audit = (await world.store.audit.list({ limit: 9 })).filter(({ action }) => action === 'halt.ended')
  expect(audit.map(({ actor, detail }) => [actor, detail])).toEqual(
    [one, two].map(({ providerAppId }) => [
      `night shift (API key ${id})`,
      `meta ${providerAppId} META_APP_SECRET_WRONG`,
    ]),
  )
})

test('what is not halted cannot be ended, and a viewer may not', async () => {
  const [viewer, operator] = [await world.makeKey('viewer'), await world.makeKey('operator')]
  const halt = await addHalt({ platform: 'meta' })
  const end = (path: string, key?: string) => world.call('DELETE', `${PATH}${path}`, key === undefined ? {} : { key })
  expect(await end('/meta')).toMatchObject({ status: 401, body: { error: { code: 'UNAUTHORIZED' } } })
  expect(await end('/meta', viewer.key)).toMatchObject({ status: 403, body: { error: { code: 'FORBIDDEN' } } })
  expect(await end('/threads', operator.key)).toMatchObject({
    status: 404,
    body: { error: { code: 'HALT_NOT_FOUND' } },
  })
  expect(await end('/meta?appId=another', operator.key)).toMatchObject({ status: 404 })
  expect(await end('/myspace', operator.key)).toMatchObject({
    status: 400,
    body: { error: { code: 'INVALID_REQUEST' } },
  })
  expect(await world.call('GET', PATH)).toMatchObject({ status: 401 })
  expect(await world.store.halts.list()).toEqual([halt])
})

test('what cannot be recorded is not ended', async () => {
  await using own = await createWorld({ redisUrl: redis.url })
  const { key } = await own.makeKey('operator')
  const halt = buildHalt({ platform: 'meta' })
  await own.store.halts.insert(halt)
  using database = openDatabase(own)
  database.exec(REFUSE_AUDIT)
  expect((await own.call('DELETE', `${PATH}/meta`, { key })).status).toBeGreaterThanOrEqual(500)
  expect(await own.store.halts.list()).toEqual([halt])
})
