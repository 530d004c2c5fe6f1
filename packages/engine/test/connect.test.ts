import { type Account, CodedError, HOUR } from '@tokenkeeper/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { kill } from './support/deaths.ts'
import { actAt } from './support/gate.ts'
import { expectHealthy, expectLogged } from './support/invariants.ts'
import { losingAcknowledgement } from './support/lossy-store.ts'
import { recover } from './support/recover.ts'
import { newKey } from './support/storage.ts'
import { createWorld, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

const options = { ownerId: 'owner', actor: 'test' }

describe('connecting', () => {
  test('makes an account that falls due within its policy, and tells it once', async () => {
    const { account } = await world.connect()
    expect(account).toMatchObject({ status: 'active', generation: 1, attempt: null, outbox: [] })
    const events = await world.store.events.list({ accountId: account.id, limit: 10 })
    expect(events.map((event) => event.type)).toEqual(['account.connected'])
    expect(await world.refresh(account.id)).toMatchObject({ kind: 'refreshed' })
  })

  test('the same login twice at once makes one account', async () => {
    const [user] = await world.pds.createAccounts(1)
    await world.pds.moveDid(user!.did, world.proxy.url)
    const logins = await Promise.all([world.newLogin(user!), world.newLogin(user!)])
    await using other = world.newActor()
    const accounts = await Promise.all([
      world.engine.connectAccount(logins[0]!, options),
      other.engine.connectAccount(logins[1]!, options),
    ])
    expect(accounts[0].id).toBe(accounts[1].id)
    await expectHealthy(world, accounts[0].id)
  })

  test('whose insert is acknowledged to nobody is found again by its connect id', async () => {
    const [user] = await world.pds.createAccounts(1)
    await world.pds.moveDid(user!.did, world.proxy.url)
    let lost = false
    await using lossy = world.newActor({
      store: {
        ...world.store,
        accounts: {
          ...world.store.accounts,
          async insert(account) {
            await world.store.accounts.insert(account)
            if (lost) return
            lost = true
            throw new CodedError('STORE_UNAVAILABLE', { internal: 'connection lost' })
          },
        },
      },
    })
    const account = await lossy.engine.connectAccount(world.loginOf(user!), options)
    expect(account.generation).toBe(1)
    await expectHealthy(world, account.id)
  })

  test('whose insert is acknowledged to nobody, and which is removed before that is looked up, is not brought back', async () => {
    const [user] = await world.pds.createAccounts(1)
    await world.pds.moveDid(user!.did, world.proxy.url)
    let removed = ''
    const store = {
      ...world.store,
      accounts: {
        ...world.store.accounts,
        async insert(account: Account) {
          await world.store.accounts.insert(account)
          removed = account.id
          await world.engine.removeAccount(account.id, 'test')
          throw new CodedError('STORE_UNAVAILABLE', { internal: 'connection lost' })
        },
      },
    }
    await using actor = world.newActor({ store })
    const login = await world.newLogin(user!)
    await expect(actor.engine.connectAccount(login, options)).rejects.toMatchObject({ code: 'ACCOUNT_REMOVING' })
    expect(await world.store.accounts.get(removed)).toBeNull()
    const { ownerId } = options
    expect(await world.store.accounts.findByLogin({ ownerId, ...login })).toBeNull()
  })

  test('whose insert arrives once more after the account was removed: it does not stay', async () => {
    const [user] = await world.pds.createAccounts(1)
    await world.pds.moveDid(user!.did, world.proxy.url)
    const inserts: Account[] = []
    const store = {
      ...world.store,
      accounts: {
        ...world.store.accounts,
        async insert(account: Account) {
          inserts.push(account)
          await world.store.accounts.insert(account)
        },
      },
    }
    await using actor = world.newActor({ store })
    const { id } = await actor.engine.connectAccount(world.loginOf(user!), options)
    await world.engine.removeAccount(id, 'test')
    await world.store.accounts.insert(inserts[0]!)
    expect(await world.store.accounts.withOutbox({ afterId: null, limit: 1_000 })).toContain(id)
    await world.engine.relayAccount(id)
    expect(await world.store.accounts.get(id)).toBeNull()
  })

  test('heals a dead account and forgets the old credential', async () => {
    const { account, user } = await world.connect()
    await world.refresh(account.id)
    const login = await world.newLogin(user)
    const connected = await world.engine.connectAccount(login, options)
    expect(connected).toMatchObject({ id: account.id, generation: 3, previousCredential: null, status: 'active' })
    await expectHealthy(world, account.id)
  })

  test.each(['reconnect.logged-in-before-write', 'reconnect.applied-before-ack'])('killed at %s', async (point) => {
    const { account, user } = await world.connect()
    const login = await world.newLogin(user)
    await kill(world, point, { action: 'reconnect', accountIds: [account.id], login })
    await world.engine.relayAccount(account.id)
    await recover(world, account.id)
    await expectHealthy(world, account.id)
  })

  test('overtaken by another one before it looks again, it is not written once more', async () => {
    const { account, user } = await world.connect()
    const [older, newer] = [await world.newLogin(user), await world.newLogin(user)]
    await using slow = world.newActor({
      hook: actAt('reconnect.applied-before-ack', async () => {
        await world.refresh(account.id) // the older login is spent
        await world.engine.connectAccount(newer, options)
      }),
    })
    expect(await slow.engine.connectAccount(older, options)).toMatchObject({ id: account.id, generation: 4 })
    expect(world.open(await world.read(account.id))).toEqual(newer.credential)
    await expectHealthy(world, account.id)
  })

  test('overtaken by a removal before it looks again, it brings nothing back', async () => {
    const { account, user } = await world.connect()
    const login = await world.newLogin(user)
    await using slow = world.newActor({
      hook: actAt('reconnect.applied-before-ack', () => world.engine.removeAccount(account.id, 'test')),
    })
    await expect(slow.engine.connectAccount(login, options)).rejects.toMatchObject({ code: 'ACCOUNT_REMOVING' })
    const { ownerId } = options
    const { platform, providerAppId, externalId } = login
    expect(await world.store.accounts.findByLogin({ ownerId, platform, providerAppId, externalId })).toBeNull()
  })
})

describe('removing', () => {
  test('killed when marked, it is finished by whoever comes next', async () => {
    const { account } = await world.connect()
    await world.refresh(account.id)
    await kill(world, 'remove.marked-before-relay', { action: 'remove', accountIds: [account.id] })
    expect(await world.read(account.id)).toMatchObject({
      status: 'removing',
      sealedCredential: '',
      previousCredential: null,
    })
    expect(await world.refresh(account.id)).toEqual({ kind: 'skipped', reason: 'not_found' })
    await world.engine.removeAccount(account.id, 'test')
    expect(await world.store.accounts.get(account.id)).toBeNull()
    expect(await world.store.log.list({ accountId: account.id, limit: 10 })).toEqual([])
    const audit = await world.store.audit.list({ accountId: account.id, limit: 10 })
    expect(audit.map((entry) => entry.action)).toEqual(['account.removed', 'account.connected'])
  })

  test('logs out: neither the token nor its predecessor works any more', async () => {
    const { account } = await world.connect()
    const first = world.open(account)
    await world.refresh(account.id)
    const second = world.open(await world.read(account.id))
    await world.engine.removeAccount(account.id, 'test')
    for (const { refreshToken } of [second, first, second]) {
      expect((await world.pds.refreshSession(refreshToken)).status).toBe(400)
    }
  })

  test('after several refreshes within the grace: no token of the chain yields a session', async () => {
    const { account } = await world.connect()
    const chain = [world.open(account)]
    for (const generation of [2, 3, 4]) {
      expect(await world.refresh(account.id)).toEqual({ kind: 'refreshed', generation })
      chain.push(world.open(await world.read(account.id)))
    }
    // Until then each of them does: it is in its grace, and yields the session after it.
    for (const { refreshToken } of chain.slice(0, -1)) {
      expect((await world.pds.refreshSession(refreshToken)).status).toBe(200)
    }
    // Sealed anew by another key meanwhile, all but the first one.
    await using sealer = world.newActor({ keys: `${newKey('k7')},${world.scene.keys}` })
    expect(await sealer.engine.resealAccount(account.id)).toBe(true)
    await sealer.engine.removeAccount(account.id, 'test')
    for (const { refreshToken } of [...chain, ...chain]) {
      expect((await world.pds.refreshSession(refreshToken)).status).toBe(400)
    }
  })

  test('after a reconnect: neither the old session nor the new one works any more', async () => {
    const { account, user } = await world.connect()
    const old = world.open(account)
    const connected = await world.engine.connectAccount(await world.newLogin(user), options)
    expect((await world.pds.getSession(old.accessToken)).status).toBe(200)
    await world.engine.removeAccount(account.id, 'test')
    for (const { refreshToken } of [old, world.open(connected)]) {
      expect((await world.pds.refreshSession(refreshToken)).status).toBe(400)
    }
  })

  test('what is over is forgotten, and no more than ten are remembered', async () => {
    const { account } = await world.connect()
    const former = async () => (await world.read(account.id)).formerCredentials.length
    for (let i = 1; i <= 13; i++) {
      await world.refresh(account.id)
      expect(await former()).toBe(Math.min(10, Math.max(0, i - 1)))
    }
    world.clockFile.advance(2 * HOUR)
    await world.refresh(account.id)
    expect(await former()).toBe(0)
    await expectHealthy(world, account.id)
  })

  test.each(['commit.acked-before-relay', 'relay.inserted-before-pull'])(
    'in the middle of a relay, at %s: the log goes with the account',
    async (at) => {
      const { account } = await world.connect()
      let removed = false
      await using slow = world.newActor({
        async hook(point, id) {
          if (point !== at || id !== account.id || removed) return
          // First of all, so that the removal's own relay is not taken for another one.
          removed = true
          await world.engine.removeAccount(account.id, 'test')
        },
      })
      const outcome = await slow.engine.refreshAccount(account.id, { type: 'manual', force: true })
      expect(removed).toBe(true)
      expect(await world.store.accounts.get(account.id)).toBeNull()
      expect(await world.store.log.list({ accountId: account.id, limit: 10 })).toEqual([])
      expect(outcome.kind).not.toBe('failed')
    },
  )

  test('while a relay comes between: the log goes with the account', async () => {
    const { account } = await world.connect()
    await world.refresh(account.id)
    const [told] = await world.store.log.list({ accountId: account.id, limit: 1 })
    const { accounts } = world.store
    await using actor = world.newActor({
      store: {
        ...world.store,
        accounts: {
          ...accounts,
          async deleteRemoved(id) {
            // A relay that finds the account still there, when its log has just been removed.
            await world.store.log.put([told!])
            expect(await accounts.pull(id, [])).toBe(true)
            return accounts.deleteRemoved(id)
          },
        },
      },
    })
    await actor.engine.removeAccount(account.id, 'test')
    expect(await world.store.log.list({ accountId: account.id, limit: 10 })).toEqual([])
  })

  test('an account that is not there says so', async () => {
    await expect(world.engine.removeAccount('0'.repeat(24), 'test')).rejects.toMatchObject({
      code: 'ACCOUNT_NOT_FOUND',
    })
  })
})

describe('pausing and re-sealing', () => {
  test('a paused account is left alone until it is resumed; both are audited', async () => {
    const { account } = await world.connect()
    await world.engine.pauseAccount(account.id, 'someone')
    expect(await world.refresh(account.id)).toEqual({ kind: 'skipped', reason: 'not_active' })
    await world.engine.resumeAccount(account.id, 'someone')
    await expectHealthy(world, account.id)
    const audit = await world.store.audit.list({ accountId: account.id, limit: 10 })
    expect(audit.map((entry) => entry.action)).toEqual(['account.resumed', 'account.paused', 'account.connected'])
  })

  test('re-sealing moves everything to the new key, once', async () => {
    const { account } = await world.connect({ appPassword: 'abcd-efgh' })
    await world.refresh(account.id)
    const newest = newKey('k9')
    await using sealer = world.newActor({ keys: `${newest},${world.scene.keys}` })
    expect(await sealer.engine.resealAccount(account.id)).toBe(true)
    expect(await sealer.engine.resealAccount(account.id)).toBe(false)
    expect((await world.store.accounts.countKeys()).map(({ keyId }) => keyId)).toContain('k9')
    await using onlyNew = world.newActor({ keys: newest })
    const outcome = await onlyNew.engine.refreshAccount(account.id, { type: 'manual', force: true })
    expect(outcome).toMatchObject({ kind: 'refreshed' })
    await expectLogged(world, account.id)
  })

  test('a lost acknowledgement of a removal is settled by reading again', async () => {
    const { account } = await world.connect()
    await using lossy = world.newActor({ store: losingAcknowledgement(world.store, 'remove', 'unmatched') })
    await lossy.engine.removeAccount(account.id, 'test')
    expect(await world.store.accounts.get(account.id)).toBeNull()
  })
})
