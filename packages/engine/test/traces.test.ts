import { MINUTE, SECOND, tokenDigest } from '@tokenkeeper/core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { kill } from './support/deaths.ts'
import { actAt, gateAt } from './support/gate.ts'
import { expectHealthy, expectLogged, expectNoDoubleSpend } from './support/invariants.ts'
import { lostAcknowledgementTests } from './support/lost-acknowledgements.ts'
import { passTo, recover } from './support/recover.ts'
import { spooledSuccessorTests } from './support/spooled-successors.ts'
import { newKey } from './support/storage.ts'
import { claimsOf, createWorld, type World } from './support/world.ts'

/** The traces of docs/protocol.md that a naive protocol fails. */

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterEach(() => world.proxy.clear())
afterAll(() => world[Symbol.asyncDispose]())

const jti = (refreshToken: string) => claimsOf(refreshToken).jti

describe('two workers', () => {
  test('one that read before the other committed presents nothing', async () => {
    const { account } = await world.connect()
    const gate = gateAt('begin.before-write')
    await using slow = world.newActor({ hook: gate.hook })
    const late = slow.engine.refreshAccount(account.id, { type: 'scheduled', force: true })
    await gate.reached
    const before = world.presentations().length
    expect(await world.refresh(account.id)).toMatchObject({ kind: 'refreshed' })
    gate.open()
    expect(await late).toEqual({ kind: 'fenced' })
    expect(world.presentations().length).toBe(before + 1)
    await expectHealthy(world, account.id)
  })

  test('racing for one account make one refresh', async () => {
    const { account } = await world.connect()
    await using other = world.newActor()
    const before = world.presentations().length
    const race = [world, other, world, other, world, other]
    const outcomes = await Promise.all(
      race.map(({ engine }) => engine.refreshAccount(account.id, { type: 'scheduled', force: true })),
    )
    expect(outcomes.filter((outcome) => outcome.kind === 'refreshed').length).toBe(1)
    expect(world.presentations().length).toBe(before + 1)
    await expectHealthy(world, account.id)
  })

  test('one that is stopped past its lease overwrites nothing', async () => {
    const { account } = await world.connect()
    await using stopped = world.run({
      action: 'refresh',
      accountIds: [account.id],
      kill: { point: 'send.checked-not-sent', signal: 'SIGSTOP' },
    })
    await stopped.waitForLine(/^@send\.checked-not-sent$/)
    world.clockFile.advance(13 * SECOND)
    expect(await world.refresh(account.id)).toEqual({ kind: 'refreshed', generation: 2 })
    const newest = (await world.read(account.id)).sealedCredential
    stopped.kill('SIGCONT')
    await stopped.waitForLine(/^="?.*fenced/)
    expect((await world.read(account.id)).sealedCredential).toBe(newest)
    expectNoDoubleSpend(world, account.id, 1) // the late presentation that no lease can exclude
    await expectLogged(world, account.id)
    const session = await world.pds.getSession(world.open(await world.read(account.id)).accessToken)
    expect(session.status).toBe(200)
    expect(await world.refresh(account.id)).toMatchObject({ kind: 'refreshed' })
  })
})

lostAcknowledgementTests(() => world)

spooledSuccessorTests(() => world)

describe('operators and users in between', () => {
  test('a reconnect after the re-read survives the verdict', async () => {
    const { account, user } = await world.connect()
    const changed = await world.pds.changePassword(user)
    await world.refresh(account.id) // the first witness
    world.clockFile.advance(6 * MINUTE)
    await using judge = world.newActor({
      hook: actAt('dead.after-reread-before-verdict', async () => {
        await world.engine.connectAccount(await world.newLogin(changed), { ownerId: 'owner', actor: 'test' })
      }),
    })
    expect(await judge.engine.refreshAccount(account.id, { type: 'scheduled', force: true })).toEqual({
      kind: 'fenced',
    })
    await expectHealthy(world, account.id)
  })

  test('an unknown outcome is recovered while the account is paused', async () => {
    const { account } = await world.connect()
    await kill(world, 'reply.received', { action: 'refresh', accountIds: [account.id] })
    await world.engine.pauseAccount(account.id, 'test')
    world.clockFile.advance(13 * SECOND)
    expect(await world.refresh(account.id)).toMatchObject({ kind: 'refreshed' })
    expect((await world.read(account.id)).status).toBe('paused')
    expect(await world.refresh(account.id)).toEqual({ kind: 'skipped', reason: 'not_active' })
    await world.engine.resumeAccount(account.id, 'test')
    await expectHealthy(world, account.id)
  })

  test('a re-seal does not write an old credential back', async () => {
    const { account } = await world.connect()
    await using sealer = world.newActor({
      keys: `${newKey('k2')},${world.scene.keys}`,
      hook: actAt('reseal.read-before-write', () => world.refresh(account.id)),
    })
    expect(await sealer.engine.resealAccount(account.id)).toBe(false)
    await expectHealthy(world, account.id)
  })

  test('a re-seal and a pause do not turn away a result on its way', async () => {
    const { account } = await world.connect()
    const answer = world.proxy.fault({ kind: 'hold', times: 1 })
    const refreshing = world.refresh(account.id)
    await answer.reached
    await using sealer = world.newActor({ keys: `${newKey('k2')},${world.scene.keys}` })
    expect(await sealer.engine.resealAccount(account.id)).toBe(true)
    await world.engine.pauseAccount(account.id, 'test')
    answer.release()
    expect(await refreshing).toEqual({ kind: 'refreshed', generation: 2 })
    const fresh = await world.read(account.id)
    expect({ status: fresh.status, keyId: fresh.keyId, previousKeyId: fresh.previousKeyId }).toEqual({
      status: 'paused',
      keyId: 'k1',
      previousKeyId: 'k2',
    })
  })

  test('a reconnect in mid-attempt wins, and both are told', async () => {
    const { account, user } = await world.connect()
    const answer = world.proxy.fault({ kind: 'hold', times: 1 })
    const refreshing = world.refresh(account.id)
    await answer.reached
    await world.engine.connectAccount(await world.newLogin(user), { ownerId: 'owner', actor: 'test' })
    answer.release()
    expect(await refreshing).toEqual({ kind: 'fenced' })
    expect(await world.witness.logged(account.id)).toMatchObject([{ outcome: 'superseded' }])
    await expectHealthy(world, account.id)
  })

  test('a removal in mid-attempt wins; the answer is logged out and one audit entry stays', async () => {
    const { account } = await world.connect()
    const answer = world.proxy.fault({ kind: 'hold', times: 1 })
    const refreshing = world.refresh(account.id)
    await answer.reached
    await world.engine.removeAccount(account.id, 'test')
    answer.release()
    expect(await refreshing).toEqual({ kind: 'fenced' })
    expect(await world.store.accounts.get(account.id)).toBeNull()
    expect(await world.store.audit.list({ accountId: account.id, limit: 10 })).toMatchObject([
      { action: 'account.removed' },
      { action: 'account.connected' },
    ])
    const replayed = await world.pds.refreshSession(world.open(account).refreshToken)
    expect(replayed.status).toBe(400)
  })

  test('removal and reconnect, and removal and pause, do not cross', async () => {
    const { account, user } = await world.connect()
    const login = await world.newLogin(user)
    const options = { ownerId: 'owner', actor: 'test' }
    await using remover = world.newActor({
      hook: actAt('remove.marked-before-relay', async () => {
        await expect(world.engine.connectAccount(login, options)).rejects.toMatchObject({ code: 'ACCOUNT_REMOVING' })
        await expect(world.engine.pauseAccount(account.id, 'test')).rejects.toMatchObject({ code: 'ACCOUNT_CHANGED' })
      }),
    })
    await remover.engine.removeAccount(account.id, 'test')
    expect(await world.store.accounts.get(account.id)).toBeNull()
    const again = await world.engine.connectAccount(await world.newLogin(user), options)
    expect(again.id).not.toBe(account.id)
    await expectHealthy(world, again.id)
  })
})

/** The previous token is presented on purpose, after its successor was committed: I2 names and allows that. */
const WITNESSES = 2

describe('a witness', () => {
  test('that repeats the stored token is not committed; the stored token is presented again', async () => {
    const { account } = await world.connect()
    await world.refresh(account.id)
    const stored = world.open(await world.read(account.id)).refreshToken
    await deleteSession(stored)
    expect(await world.refresh(account.id)).toEqual({ kind: 'refreshed', generation: 3 })
    expect(jti(world.open(await world.read(account.id)).refreshToken)).not.toBe(jti(stored))
    await expectHealthy(world, account.id, WITNESSES)
  })

  test('that is killed in flight spoils nothing', async () => {
    const { account } = await world.connect()
    await world.refresh(account.id)
    await deleteSession(world.open(await world.read(account.id)).refreshToken)
    await kill(world, 'dead.witness-in-flight', { action: 'refresh', accountIds: [account.id] })
    world.clockFile.advance(13 * SECOND)
    await recover(world, account.id)
    await expectHealthy(world, account.id, WITNESSES)
  })

  test('that answers late with the stored token is dropped', async () => {
    const { account } = await world.connect()
    await world.refresh(account.id)
    const stored = world.open(await world.read(account.id)).refreshToken
    await deleteSession(stored)
    await using hasty = world.newActor({ times: { providerTimeoutMs: 300 } })
    // The witness's answer is held beyond the engine's patience; the stored token's refusal comes through.
    const late = world.proxy.fault({
      kind: 'hold',
      times: 1,
      match: (request) => request.tokenDigest !== tokenDigest(stored),
    })
    expect(await hasty.engine.refreshAccount(account.id, { type: 'scheduled', force: true })).toMatchObject({
      kind: 'ambiguous',
    })
    await late.reached
    const { attempt } = await world.read(account.id)
    passTo(world, attempt?.notBefore ?? 0)
    expect(await world.refresh(account.id)).toEqual({ kind: 'refreshed', generation: 3 })
    const newest = (await world.read(account.id)).sealedCredential
    late.release()
    await hasty.engine.settle()
    expect((await world.read(account.id)).sealedCredential).toBe(newest)
    await expectHealthy(world, account.id, WITNESSES)
  })
})

async function deleteSession(refreshToken: string): Promise<void> {
  const answer = await fetch(`${world.pds.url}/xrpc/com.atproto.server.deleteSession`, {
    method: 'POST',
    headers: { authorization: `Bearer ${refreshToken}` },
  })
  expect(answer.status).toBe(200)
}
