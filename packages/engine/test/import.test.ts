import { type Account, CodedError, DAY, HOUR, MINUTE } from '@tokenkeeper/core'
import { readStoredToken, type StoredLogin } from '@tokenkeeper/providers'
import type { Store } from '@tokenkeeper/store'
import { mongoForTests, type PdsAccount } from '@tokenkeeper/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ImportOutcome } from '../src/index.ts'
import { expectHealthy } from './support/invariants.ts'
import { onEachStore } from './support/on-each-store.ts'
import { createWorld, type World } from './support/world.ts'

const mongo = await mongoForTests('imports on MongoDB')
if (mongo) afterAll(() => mongo[Symbol.asyncDispose]())
const stores = [['SQLite', undefined] as const, ...(mongo ? [['MongoDB', mongo] as const] : [])]

describe.each(stores)('imports on %s', (_name, server) => {
  let world: World
  beforeAll(async () => {
    world = await createWorld(server ? { mongo: server } : {})
  })
  afterAll(() => world[Symbol.asyncDispose]())

  /** A user who has logged in at another app. */
  async function newUser(): Promise<{ user: PdsAccount; login: StoredLogin }> {
    const [user] = await world.pds.createAccounts(1)
    await world.pds.moveDid(user!.did, world.proxy.url)
    return { user: user!, login: { ...world.loginOf(user!), issuedAt: null } }
  }

  async function importOne(login: StoredLogin, engine = world.engine): Promise<ImportOutcome> {
    const [outcome] = await engine.importAccounts([{ ownerId: 'owner', login }], 'someone')
    return outcome!
  }

  async function imported(login: StoredLogin): Promise<string> {
    const outcome = await importOne(login)
    if (outcome.kind !== 'imported') throw new Error(`not imported: ${outcome.kind}`)
    return outcome.accountId
  }

  function withInsert(insert: (account: Account) => Promise<void>): Store {
    return { ...world.store, accounts: { ...world.store.accounts, insert } }
  }

  test('a login falls due soon, is told once, and refreshed by its token', async () => {
    const { login } = await newUser()
    const id = await imported(login)
    const account = await world.read(id)
    const now = world.clock.now()
    expect(account).toMatchObject({ status: 'active', generation: 1, attempt: null, outbox: [], ownerId: 'owner' })
    expect(account.nextRefreshAt).toBeLessThanOrEqual(now + 48 * HOUR)
    const events = await world.store.events.list({ accountId: id, limit: 10 })
    expect(events.map(({ type }) => type)).toEqual(['account.connected'])
    const audit = await world.store.audit.list({ accountId: id, limit: 10 })
    expect(audit).toMatchObject([{ action: 'account.imported', actor: 'someone', detail: 'bluesky' }])
    await expectHealthy(world, id)
  })

  test('an insert that arrives once more after the account was removed does not stay', async () => {
    const { login } = await newUser()
    const inserts: Account[] = []
    await using actor = world.newActor({
      store: withInsert(async (account) => {
        inserts.push(account)
        await world.store.accounts.insert(account)
      }),
    })
    const outcome = await importOne(login, actor.engine)
    const { id } = inserts[0]!
    expect(outcome).toEqual({ kind: 'imported', accountId: id })
    await world.engine.removeAccount(id, 'test')
    await world.store.accounts.insert(inserts[0]!)
    await world.engine.relayAccount(id)
    expect(await world.store.accounts.get(id)).toBeNull()
  })

  test('imported again after a refresh, the old token does not come back', async () => {
    const { login } = await newUser()
    const id = await imported(login)
    expect(await world.refresh(id)).toEqual({ kind: 'refreshed', generation: 2 })
    const before = await world.read(id)
    expect(await importOne(login)).toEqual({ kind: 'present', accountId: id })
    expect(await world.read(id)).toStrictEqual(before)
    expect(world.open(before).refreshToken).not.toBe(login.credential.refreshToken)
    const audit = await world.store.audit.list({ accountId: id, limit: 10 })
    expect(audit).toHaveLength(1)
    await expectHealthy(world, id)
  })

  test('of several with the same login the first one is taken, whatever the order of their ids', async () => {
    const { user, login } = await newUser()
    const others = await Promise.all(Array.from({ length: 4 }, () => world.newLogin(user)))
    const all = [login, ...others.map((other) => ({ ...other, issuedAt: null }))]
    const outcomes = await world.engine.importAccounts(
      all.map((each) => ({ ownerId: 'owner', login: each })),
      'someone',
    )
    expect(outcomes.map(({ kind }) => kind)).toEqual(['imported', ...Array(4).fill('present')])
    const [first] = outcomes
    if (first?.kind !== 'imported') throw new Error('not imported')
    expect(world.open(await world.read(first.accountId))).toEqual(login.credential)
  })

  test('two imports at once make one account', async () => {
    const { login } = await newUser()
    await using other = world.newActor()
    const outcomes = await Promise.all([importOne(login), importOne(login, other.engine)])
    expect(outcomes.map(({ kind }) => kind).toSorted()).toEqual(['imported', 'present'])
    expect(new Set(outcomes.map((outcome) => 'accountId' in outcome && outcome.accountId)).size).toBe(1)
  })

  test('an insert that is acknowledged to nobody is found again, refreshed meanwhile or not', async () => {
    const { login } = await newUser()
    let lost = false
    const store = withInsert(async (account) => {
      await world.store.accounts.insert(account)
      if (lost) return
      lost = true
      expect(await world.refresh(account.id)).toMatchObject({ kind: 'refreshed' })
      throw new CodedError('STORE_UNAVAILABLE', { internal: 'connection lost' })
    })
    await using lossy = world.newActor({ store })
    const outcome = await importOne(login, lossy.engine)
    expect([lost, outcome.kind]).toEqual([true, 'imported'])
    if (outcome.kind !== 'imported') throw new Error('not imported')
    expect(await world.read(outcome.accountId)).toMatchObject({ generation: 2, outbox: [] })
    await expectHealthy(world, outcome.accountId)
  })

  test('an insert that is acknowledged to nobody, and removed before that is looked up, is not brought back', async () => {
    const { login } = await newUser()
    const store = withInsert(async (account) => {
      await world.store.accounts.insert(account)
      await world.engine.removeAccount(account.id, 'test')
      throw new CodedError('STORE_UNAVAILABLE', { internal: 'connection lost' })
    })
    await using lossy = world.newActor({ store })
    expect(await importOne(login, lossy.engine)).toEqual({ kind: 'rejected', code: 'ACCOUNT_REMOVING' })
    const { platform, providerAppId, externalId } = login
    const key = { ownerId: 'owner', platform, providerAppId, externalId }
    expect(await world.store.accounts.findByLogin(key)).toBeNull()
  })

  test('while the store is away nothing is said to be in', async () => {
    const { login } = await newUser()
    const store = withInsert(async () => {
      throw new CodedError('STORE_UNAVAILABLE')
    })
    await using away = world.newActor({ store, clock: { ...world.clock, sleep: async () => {} } })
    await expect(importOne(login, away.engine)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await imported(login)
  })

  test('a login that is nearly over is refreshed before its end', async () => {
    const { login } = await newUser()
    const diesAt = world.clock.now() + 30 * MINUTE
    const id = await imported({ ...login, diesAt })
    expect((await world.read(id)).nextRefreshAt).toBeLessThan(diesAt - 10 * MINUTE)
  })
})

await onEachStore('imports of tokens of Meta', (world) => {
  test('fall due soon, and bring their Pages', async () => {
    const { control, options, engine, clock, scene } = world()
    const { account } = await world().connect('meta', 2)
    const { accessToken, expiresAt } = control.issueToken({
      appId: scene.graph!.meta.app.id,
      userId: account.externalId,
    })
    const stored = {
      platform: 'meta',
      externalId: account.externalId,
      accessToken,
      expiresAt,
      dataAccessExpiresAt: null,
      issuedAt: null,
      scopes: [],
    } as const
    const login = readStoredToken(options.meta, stored)
    const [outcome] = await engine.importAccounts([{ ownerId: 'another', login }], 'someone')
    if (outcome?.kind !== 'imported') throw new Error('not imported')
    const due = await world().read(outcome.accountId)
    expect(due.nextRefreshAt).toBeLessThanOrEqual(clock.now() + 48 * HOUR)
    world().passTo(due.nextRefreshAt)
    expect(await world().refreshIfDue(due.id)).toEqual({ kind: 'refreshed', generation: 2 })
    expect(await world().store.pages.ofAccount(due.id, { afterId: null, limit: 10 })).toHaveLength(2)
  })

  test('of Instagram are not held back by the import: their own age counts', async () => {
    const { options, engine, clock } = world()
    const expiresAt = clock.now() + 10 * HOUR
    const login = readStoredToken(options.instagram, {
      platform: 'instagram',
      externalId: '17841400000000000',
      accessToken: `IG${'x'.repeat(40)}`,
      expiresAt,
      dataAccessExpiresAt: null,
      issuedAt: null,
      scopes: [],
    })
    expect(login.issuedAt).toBe(expiresAt - 60 * DAY)
    const [outcome] = await engine.importAccounts([{ ownerId: 'another', login }], 'someone')
    if (outcome?.kind !== 'imported') throw new Error('not imported')
    const { nextRefreshAt } = await world().read(outcome.accountId)
    expect(nextRefreshAt).toBeLessThan(expiresAt - 4 * HOUR)
  })
})
