import { DatabaseSync } from 'node:sqlite'
import { type Clock, SECOND, systemClock } from '@tokenkeeper/core'
import { describe, expect, test } from 'vitest'
import { buildAccount } from '../src/conformance/build-account.ts'
import { openSqliteFixture } from './support/sqlite-fixture.ts'

const renamed = (accountId: string) => ({
  name: 'rename',
  accountId,
  when: {},
  change: { set: { displayName: 'renamed' } },
})

describe('while another process writes', () => {
  test('a write waits without blocking the event loop', async () => {
    const { promise: slept, resolve: sleeps } = Promise.withResolvers<void>()
    const { promise: awake, resolve: wake } = Promise.withResolvers<void>()
    const clock: Clock = {
      ...systemClock,
      sleep: () => {
        sleeps()
        return awake
      },
    }
    await using fixture = await openSqliteFixture({ clock, busyTimeoutMs: 1 })
    const account = buildAccount()
    await fixture.store.accounts.insert(account)
    using other = new DatabaseSync(fixture.path)
    other.exec('BEGIN IMMEDIATE')

    const write = fixture.store.accounts.write(renamed(account.id))
    await slept
    // Readers wait for nobody.
    expect(await fixture.store.accounts.get(account.id)).toStrictEqual(account)
    other.exec('COMMIT')
    wake()
    expect(await write).toBe(true)
  })

  test('a write gives up after some seconds, applied nothing, and the next one works', async () => {
    let now = 0
    const clock: Clock = {
      ...systemClock,
      monotonic: () => now,
      async sleep(ms) {
        now += ms
      },
    }
    await using fixture = await openSqliteFixture({ clock, busyTimeoutMs: 1 })
    const account = buildAccount()
    await fixture.store.accounts.insert(account)
    using other = new DatabaseSync(fixture.path)
    other.exec('BEGIN IMMEDIATE')
    await expect(fixture.store.accounts.write(renamed(account.id))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await expect(fixture.store.ping()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(now).toBeGreaterThan(10 * SECOND)
    expect(now).toBeLessThan(11 * SECOND)
    other.exec('COMMIT')
    expect(await fixture.store.accounts.get(account.id)).toStrictEqual(account)
    expect(await fixture.store.accounts.write(renamed(account.id))).toBe(true)
  })
})
