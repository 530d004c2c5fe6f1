import { join } from 'node:path'
import { HOUR, SECOND } from '@tokenkeeper/core'
import { buildAccount, buildAttempt } from '@tokenkeeper/store/build-account'
import { createClockFile, tempDir } from '@tokenkeeper/testkit'
import { expect, test } from 'vitest'
import { DEFAULT_TIMES } from '../src/index.ts'
import { createActor } from './support/actor.ts'
import { newKey } from './support/storage.ts'

test.each(['released', 'held', 'live'] as const)(
  'a paused account that cannot be opened is told of once; its %s attempt waits for the probe',
  async (state) => {
    await using temp = await tempDir()
    using clockFile = createClockFile(join(temp.path, 'clock'))
    const scene = {
      dir: temp.path,
      keys: newKey('k1'),
      clockFile: clockFile.path,
      plcUrl: 'http://localhost:1',
      hosts: [],
    }
    await using actor = createActor(scene)
    const { engine, store, clock } = actor
    const past = clock.now() - HOUR
    const attempt = buildAttempt({ state, unknownSince: past, notBefore: past, leaseUntil: past })
    const account = buildAccount({ status: 'paused', attempt })
    await store.accounts.insert(account)
    const isStale = async () => (await store.accounts.stale({ now: clock.now(), limit: 10 })).length > 0
    const refresh = () => engine.refreshAccount(account.id, { type: 'scheduled' })

    for (let probe = 0; probe < 3; probe++) {
      expect(await isStale()).toBe(true)
      expect(await refresh()).toEqual({ kind: 'quarantined', code: 'KEY_MISSING' })
      clockFile.advance(DEFAULT_TIMES.recoveryProbeMs - 4 * SECOND)
      expect(await isStale()).toBe(false)
      expect(await refresh()).toMatchObject({ kind: state === 'live' ? 'busy' : 'snoozed' })
      clockFile.advance(4 * SECOND)
    }
    const events = await store.events.list({ accountId: account.id, limit: 10 })
    expect(events.map(({ type }) => type)).toEqual(['account.quarantined'])
    expect((await store.accounts.get(account.id))?.status).toBe('paused')
  },
)
