import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { MINUTE, makeId } from '@tokenkeeper/core'
import { buildAccount } from '@tokenkeeper/store/build-account'
import type { Fault } from '@tokenkeeper/testkit'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createSpool } from '../src/index.ts'
import { buildResult } from './support/build-result.ts'
import { eavesdrop } from './support/eavesdrop.ts'
import { actAt } from './support/gate.ts'
import { passTo } from './support/recover.ts'
import { newKey } from './support/storage.ts'
import { createWorld, type World } from './support/world.ts'

/** Tokens and app passwords are nowhere but in memory, whatever happens to them. */

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterEach(() => world.proxy.clear())
afterAll(() => world[Symbol.asyncDispose]())

const REFRESH = '/xrpc/com.atproto.server.refreshSession'

/** The search itself works: each place is searched, and what is planted there is found. */
test('a secret that is told is found', async () => {
  await using ear = eavesdrop(world)
  const { account } = await world.connect()
  await ear.refresh(account)
  const secret = `planted-${makeId()}`
  ear.plant(secret)
  expect(await ear.findings()).toEqual([])

  await world.store.accounts.insert(buildAccount({ displayName: secret }))
  const spool = createSpool({ dir: join(world.scene.dir, 'spool'), clock: world.clock })
  await spool.put(buildResult({ sealed: secret }))
  ear.lines.push(`{"msg":"${secret}"}`)
  ear.outcomes.push({ kind: 'dead', code: secret as 'INTERNAL' })
  const found = new Set((await ear.findings()).map(({ where }) => basename(where)))
  expect([...found]).toEqual(expect.arrayContaining(['log', 'outcomes', 'tokenkeeper.db-wal']))
  expect([...found].filter((name) => /^\d+-[0-9a-f]{24}\.db$/.test(name))).toHaveLength(1)

  for (const { attempt } of spool.own()) spool.erase(attempt.id)
  spool[Symbol.dispose]()
})

test('connecting, refreshing, pausing, re-sealing and removing tell none', async () => {
  await using ear = eavesdrop(world, { keys: `${newKey('k2')},${world.scene.keys}` })
  const { account } = await world.connect()
  expect(await ear.refresh(account)).toMatchObject({ kind: 'refreshed' })
  expect(await ear.engine.resealAccount(account.id)).toBe(true)
  await ear.engine.pauseAccount(account.id, 'test')
  await ear.engine.resumeAccount(account.id, 'test')
  const { account: removed } = await world.connect()
  await ear.refresh(removed)
  const { refreshToken } = ear.open(await world.read(removed.id))
  world.proxy.fault({ kind: 'status', status: 500, times: 1, body: refreshToken })
  await ear.engine.removeAccount(removed.id, 'test')
  expect(await ear.findings()).toEqual([])
})

/** Answers that repeat the presented token wherever an answer can. */
const ECHOES: readonly (readonly [string, (token: string) => Fault, expected: string])[] = [
  ...(
    [
      [400, 'ExpiredToken', 'failed'],
      [400, 'InvalidToken', 'failed'],
      [400, 'InvalidRequest', 'failed'],
      [401, 'AuthMissing', 'failed'],
      [401, 'AccountTakedown', 'needs_action'],
      [429, 'RateLimitExceeded', 'failed'],
      [500, 'InternalServerError', 'ambiguous'],
    ] as const
  ).map(
    ([status, error, expected]) =>
      [
        `${status} ${error}`,
        (token: string) => rewrite(status, JSON.stringify({ error, message: `Token "${token}" (Bearer ${token})` })),
        expected,
      ] as const,
  ),
  ['as the name of the error', (token) => rewrite(400, JSON.stringify({ error: token, message: token })), 'ambiguous'],
  ['in plain text', (token) => rewrite(403, `Forbidden: ${token}`), 'ambiguous'],
  ['in a header', (token) => rewrite(401, 'no', { 'www-authenticate': `DPoP error="${token}"` }), 'ambiguous'],
  ['as the content type', (token) => rewrite(401, 'no', { 'content-type': `text/${token}` }), 'ambiguous'],
  ['in a redirect', (token) => ({ kind: 'redirect', to: `http://localhost:1/?token=${token}` }), 'ambiguous'],
  ['in an answer cut in half', () => ({ kind: 'truncate' }), 'ambiguous'],
  ['in an answer cut off', () => ({ kind: 'truncate', cut: true }), 'ambiguous'],
]

function rewrite(status: number, body: string, headers: Record<string, string> = {}): Fault {
  return {
    kind: 'rewrite',
    rewrite: () => ({ status, headers: { 'content-type': 'application/json', ...headers }, body }),
  }
}

test.each(ECHOES)('a host that repeats the token tells none: %s', async (_where, fault, expected) => {
  await using ear = eavesdrop(world)
  const { account } = await world.connect()
  await ear.refresh(account)
  const { refreshToken } = world.open(await world.read(account.id))
  const handle = world.proxy.fault({ ...fault(refreshToken), match: ({ path }) => path === REFRESH })
  expect(await ear.refresh(account)).toMatchObject({ kind: expected })
  expect(handle.hits).toBeGreaterThan(0)
  expect(ear.lines.join('')).toContain('not refreshed')
  world.proxy.clear()
  const { nextRefreshAt } = await world.read(account.id)
  passTo(world, nextRefreshAt)
  await ear.refresh(account)
  expect(await ear.findings()).toEqual([])
})

test('a successor for another account is not told', async () => {
  await using ear = eavesdrop(world)
  const { account } = await world.connect()
  world.proxy.fault({
    kind: 'rewrite',
    times: 1,
    rewrite: (answer) => {
      const session = JSON.parse(answer.body.toString())
      ear.plant(session.accessJwt)
      ear.plant(session.refreshJwt)
      return { ...answer, body: JSON.stringify({ ...session, did: `did:plc:${session.accessJwt}` }) }
    },
  })
  expect(await ear.refresh(account)).toMatchObject({ kind: 'ambiguous', code: 'PROVIDER_WRONG_ACCOUNT' })
  expect(await ear.findings()).toEqual([])
})

test('a session that dies tells none', async () => {
  await using ear = eavesdrop(world)
  const { account, user } = await world.connect()
  await ear.refresh(account)
  await world.pds.changePassword(user)
  expect(await ear.refresh(account)).toMatchObject({ kind: 'failed' })
  world.clockFile.advance(6 * MINUTE)
  expect(await ear.refresh(account)).toMatchObject({ kind: 'dead' })
  expect(await ear.findings()).toEqual([])
})

test('an app password that is kept heals, or is refused, and is told neither way', async () => {
  await using ear = eavesdrop(world)
  const [user] = await world.pds.createAccounts(1)
  await world.pds.moveDid(user!.did, world.proxy.url)
  const appPassword = await world.pds.createAppPassword(user!)
  ear.plant(appPassword)
  const options = { ownerId: 'owner', actor: 'test', appPassword }
  const account = await ear.engine.connectAccount(world.loginOf(user!), options)
  const expired = {
    kind: 'status',
    status: 400,
    body: '{"error":"ExpiredToken","message":"Token has expired"}',
  } as const
  world.proxy.fault({ ...expired, match: ({ path }) => path === REFRESH })
  expect(await ear.refresh(account)).toEqual({ kind: 'refreshed', generation: 2 })

  world.clockFile.advance(25 * 60 * MINUTE)
  const body = JSON.stringify({ error: 'AuthenticationRequired', message: `Invalid password ${appPassword}` })
  const refused = world.proxy.fault({
    kind: 'status',
    status: 401,
    headers: { 'content-type': 'application/json', 'x-password': appPassword },
    body,
  })
  expect(await ear.refresh(await world.read(account.id))).toMatchObject({ kind: 'failed' })
  expect(refused.hits).toBeGreaterThan(0)
  expect(await ear.findings()).toEqual([])
})

test('an answer that is spooled lies there sealed', async () => {
  let unlock = async () => {}
  await using ear = eavesdrop(world, {
    hook: actAt('reply.received', async () => {
      unlock = await world.witness.lock()
    }),
  })
  const { account } = await world.connect()
  world.proxy.fault({
    kind: 'rewrite',
    times: 1,
    rewrite: (answer) => {
      const { accessJwt, refreshJwt } = JSON.parse(answer.body.toString())
      ear.plant(accessJwt)
      ear.plant(refreshJwt)
      return answer
    },
  })
  try {
    expect(await ear.refresh(account)).toEqual({ kind: 'spooled' })
    expect(readdirSync(join(world.scene.dir, 'spool')).filter((name) => name.endsWith('.db'))).toHaveLength(1)
    expect(await ear.findings()).toEqual([])
  } finally {
    await unlock()
  }
  await ear.engine.replaySpools()
  expect((await world.read(account.id)).generation).toBe(2)
  expect(await ear.findings()).toEqual([])
})

test('a credential that cannot be opened tells none', async () => {
  const { account } = await world.connect()
  await using ear = eavesdrop(world, { keys: newKey('other') })
  expect(await ear.refresh(account)).toEqual({ kind: 'quarantined', code: 'KEY_MISSING' })
  expect(await ear.findings()).toEqual([])
})

// BUG in src/credentials.ts: what JSON.parse says of the opened text repeats it (whole, or its first ten characters),
// prepare.ts logs that, and the code is INTERNAL.
test('a credential that opens, but is none, tells none', async () => {
  await using ear = eavesdrop(world)
  const account = buildAccount()
  const secret = `bare-${makeId().slice(-12)}`
  ear.plant(secret)
  const { sealed, keyId } = world.sealer.seal(secret, account.id, 'credential')
  await world.store.accounts.insert({ ...account, sealedCredential: sealed, keyId })
  const outcome = await ear.engine.refreshAccount(account.id, { type: 'scheduled', force: true })
  expect(await ear.findings()).toEqual([])
  expect(outcome).toEqual({ kind: 'quarantined', code: 'SEALED_VALUE_CORRUPT' })
})
