import { DAY, GRACE_MS, MINUTE } from '@tokenkeeper/core'
import { describe, expect, test } from 'vitest'
import { createExtendModel } from '../src/providers/extend-model.ts'
import { createGraceModel } from '../src/providers/grace-model.ts'
import { createRandom } from '../src/random.ts'

describe('a provider with a grace', () => {
  function open() {
    const clock = { now: 1_000 }
    const model = createGraceModel(() => clock.now)
    const { idOf } = model.lineage
    const present = (credential: Parameters<typeof idOf>[0]) => {
      const answer = model.refresh(credential)
      return answer && idOf(answer.credential)
    }
    return { clock, model, idOf, present, login: () => model.login('did:plc:user').credential }
  }

  test('gives the same successor, in another text, for 2 h from the first use', () => {
    const { clock, model, idOf, present, login } = open()
    const first = login()
    const successor = model.refresh(first)!.credential
    clock.now += GRACE_MS - 1
    const again = model.refresh(first)!.credential
    expect([idOf(again), again.refreshToken === successor.refreshToken]).toEqual([idOf(successor), false])
    clock.now += 1
    expect(present(first)).toBeNull()
    expect(present(successor)).not.toBeNull()
  })

  test('makes a successor again that was logged out, within the grace', () => {
    const { model, idOf, present, login } = open()
    const first = login()
    const successor = model.refresh(first)!.credential
    model.logout(successor)
    expect(present(successor)).toBeNull()
    expect(present(first)).toBe(idOf(successor))
    expect(present(successor)).not.toBeNull()
  })

  test('restored from a backup it has forgotten the last successor, and that the token was used', () => {
    const { clock, model, idOf, present, login } = open()
    const first = login()
    const forgotten = model.refresh(first)!.credential
    model.restoreBackup!()
    expect(present(forgotten)).toBeNull()
    clock.now += GRACE_MS + 1
    expect(present(first)).not.toBe(idOf(forgotten))
  })

  test('ends all sessions of a user, and no other', () => {
    const { model, present, login } = open()
    const [mine, other] = [login(), model.login('did:plc:other').credential]
    model.revokeAll('did:plc:user')
    expect(present(mine)).toBeNull()
    expect(present(other)).not.toBeNull()
  })

  test('tells how long a credential is accepted, in which order they came and from which login', () => {
    const { clock, model, idOf, login } = open()
    const first = login()
    const { acceptedUntil, orderOf, loginOf } = model.lineage
    expect(acceptedUntil(idOf(first))).toBe(clock.now + 90 * DAY)
    const successor = model.refresh(first)!.credential
    const another = login()
    expect(acceptedUntil(idOf(first))).toBe(clock.now + GRACE_MS)
    expect([first, successor, another].map((one) => orderOf(idOf(one)))).toEqual([0, 1, 2])
    expect(loginOf(idOf(successor))).toBe(loginOf(idOf(first)))
    expect(loginOf(idOf(another))).not.toBe(loginOf(idOf(first)))
    clock.now += GRACE_MS
    expect(acceptedUntil(idOf(first))).toBe(Number.NEGATIVE_INFINITY)
  })
})

describe('a provider that extends', () => {
  test('leaves the old token to its own end, whatever it gives for it', () => {
    for (let seed = 0; seed < 30; seed++) {
      const clock = { now: 1_000 }
      const model = createExtendModel(() => clock.now, createRandom(seed), 90 * MINUTE)
      const { credential } = model.login('user')
      const extended = model.refresh(credential)!
      expect(model.refresh(credential)).not.toBeNull()
      clock.now += 90 * MINUTE
      const isSameText = extended.credential.accessToken === credential.accessToken
      if (extended.diesAt! > clock.now) expect(model.refresh(extended.credential)).not.toBeNull()
      if (!isSameText && extended.diesAt === 90 * MINUTE + 1_000) expect(model.refresh(credential)).toBeNull()
    }
  })
})
