import { MINUTE } from '@tokenkeeper/core'
import { describe, expect, test } from 'vitest'
import { expectHealthy } from './invariants.ts'
import { passTo, recover } from './recover.ts'
import type { World } from './world.ts'

/** Declares the tests of answers that are lost on the wire. */
export function lostAnswerTests(world: () => World): void {
  describe('an answer lost on the wire', () => {
    test.each([
      ['dropped after the PDS worked', { kind: 'drop_answer' as const }],
      ['cut in the middle', { kind: 'truncate' as const, cut: true }],
      ['dropped before the PDS worked', { kind: 'drop_request' as const }],
    ])('%s: the same token is presented again and the session works', async (_what, fault) => {
      const { account } = await world().connect()
      const before = world().presentations().length
      world().proxy.fault({ ...fault, times: 1 })
      expect(await world().refresh(account.id)).toMatchObject({ kind: 'ambiguous', code: 'PROVIDER_UNAVAILABLE' })
      expect((await world().read(account.id)).attempt).toMatchObject({ state: 'released' })
      await recover(world(), account.id)
      const digests = world()
        .presentations()
        .slice(before)
        .map((request) => request.tokenDigest)
      expect(digests.length).toBe(2)
      expect(new Set(digests).size).toBe(1)
      await expectHealthy(world(), account.id)
    })

    test('again and again for nearly the whole grace', async () => {
      const { account } = await world().connect()
      world().proxy.fault({ kind: 'drop_answer' })
      const until = world().clock.now() + 115 * MINUTE
      while (world().clock.now() < until) {
        const outcome = await world().refresh(account.id)
        expect(['ambiguous', 'snoozed']).toContain(outcome.kind)
        if ('until' in outcome) passTo(world(), outcome.until)
      }
      world().proxy.clear()
      await recover(world(), account.id)
      await expectHealthy(world(), account.id)
    })
  })
}
