import { makeId } from '@tokenkeeper/core'
import { expect, test } from 'vitest'
import { AT, buildHalt } from './build-account.ts'
import type { OpenFixture } from './fixture.ts'

export function haltTests(open: OpenFixture): void {
  test('a halt is read back exactly, also through another handle', async () => {
    await using fixture = await open()
    const second = await fixture.openSecond()
    const halt = buildHalt()
    expect(await fixture.store.halts.insert(halt)).toBe(true)
    expect(await second.halts.get(halt.id)).toStrictEqual(halt)
    expect(await second.halts.get(makeId())).toBeNull()
  })

  test('list tells all, the oldest first', async () => {
    await using fixture = await open()
    const { halts } = fixture.store
    expect(await halts.list()).toEqual([])
    const all = [2, 0, 1].map((i) => buildHalt({ since: AT + i, state: i ? 'halted' : 'suspected', suspects: [] }))
    for (const halt of all) await halts.insert(halt)
    expect(await halts.list()).toStrictEqual(all.toSorted((a, b) => a.since - b.since))
  })

  test('of many that find the same app refused at once, through two handles, one opens the halt', async () => {
    await using fixture = await open()
    const handles = [fixture.store.halts, (await fixture.openSecond()).halts]
    const rivals = Array.from({ length: 8 }, (_, i) => buildHalt({ providerAppId: 'app', suspects: [`account-${i}`] }))
    const opened = await Promise.all(rivals.map((halt, i) => handles[i % 2]!.insert(halt)))
    expect(opened.filter(Boolean)).toHaveLength(1)
    expect(await handles[0]!.list()).toStrictEqual([rivals[opened.indexOf(true)]])
  })

  test('an update or a removal lands only on what is exactly as it was read', async () => {
    await using fixture = await open()
    const { halts } = fixture.store
    const [halt, other] = [buildHalt(), buildHalt()]
    for (const one of [halt, other]) await halts.insert(one)
    const moved = {
      state: 'suspected',
      code: 'META_APP_BLOCKED',
      suspects: [...halt.suspects, makeId()],
      since: AT + 1,
      probeAt: halt.probeAt + 1,
    } as const
    for (const [field, value] of Object.entries(moved)) {
      const stale = { ...halt, [field]: value }
      expect(await halts.update(stale, { ...halt, since: AT + 9 })).toBe(false)
      expect(await halts.remove(stale)).toBe(false)
      expect(await halts.get(halt.id)).toStrictEqual(halt)
    }
    const next = { ...halt, ...moved }
    expect(await halts.update(halt, next)).toBe(true)
    expect(await halts.update(halt, next)).toBe(false)
    expect(await halts.get(halt.id)).toStrictEqual(next)
    expect(await halts.remove(next)).toBe(true)
    expect(await halts.remove(next)).toBe(false)
    expect(await halts.update(next, halt)).toBe(false)
    expect(await halts.list()).toStrictEqual([other])
    expect(await halts.insert(halt)).toBe(true)
  })

  test('of many that want to probe at once, through two handles, exactly one may', async () => {
    await using fixture = await open()
    const handles = [fixture.store.halts, (await fixture.openSecond()).halts]
    let halt = buildHalt()
    await handles[0]!.insert(halt)
    for (let round = 0; round < 10; round++) {
      const next = { ...halt, probeAt: halt.probeAt + 900_000 } // all want the same
      const won = await Promise.all(Array.from({ length: 8 }, (_, i) => handles[i % 2]!.update(halt, next)))
      expect(won.filter(Boolean)).toHaveLength(1)
      expect(await handles[round % 2]!.get(halt.id)).toStrictEqual(next)
      halt = next
    }
  })

  test('no account that is added to the suspects by compare-and-set is lost', async () => {
    await using fixture = await open()
    const handles = [fixture.store.halts, (await fixture.openSecond()).halts]
    const halt = buildHalt({ suspects: [] })
    await handles[0]!.insert(halt)
    const ids = Array.from({ length: 6 }, makeId)
    await Promise.all(
      ids.map(async (id, i) => {
        for (;;) {
          const read = (await handles[i % 2]!.get(halt.id))!
          if (await handles[i % 2]!.update(read, { ...read, suspects: [...read.suspects, id] })) return
        }
      }),
    )
    expect((await handles[0]!.get(halt.id))!.suspects.toSorted()).toEqual(ids.toSorted())
  })
}
