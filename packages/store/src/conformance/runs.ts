import { makeId } from '@tokenkeeper/core'
import { expect, test } from 'vitest'
import type { Run, SeenAccount } from '../store.ts'
import { AT } from './build-account.ts'
import type { OpenFixture } from './fixture.ts'

const NO_TOTALS = { total: 0, refreshed: 0, failed: 0, skipped: 0, deferred: 0 }

/** A run that has just begun, for tests. */
export function buildRun(overrides: Partial<Run> = {}): Run {
  return {
    id: makeId(),
    scheduleId: 'bluesky-weekly',
    occurrence: makeId(),
    filter: {},
    requestedBy: 'schedule',
    createdAt: AT,
    startedAt: AT,
    finishedAt: null,
    cursor: null,
    window: null,
    totals: { ...NO_TOTALS, platforms: {} },
    ...overrides,
  }
}

const seen = (): SeenAccount => ({ id: makeId(), attempted: `${makeId()}:refreshed`, snoozedAt: null })

export function runTests(open: OpenFixture): void {
  test('a run is read back exactly', async () => {
    await using fixture = await open()
    const { runs } = fixture.store
    const run = buildRun({
      filter: { platforms: ['meta', 'threads'], dueBefore: AT },
      cursor: makeId(),
      window: [seen(), { ...seen(), snoozedAt: AT }],
      finishedAt: AT + 1,
      totals: { ...NO_TOTALS, total: 3, failed: 1, platforms: { meta: { ...NO_TOTALS, total: 3 } } },
    })
    expect(await runs.insert(run)).toStrictEqual(run)
    expect(await runs.get(run.id)).toStrictEqual(run)
    expect(await runs.get(makeId())).toBeNull()
  })

  test('an occurrence is one run, however many insert it through two handles', async () => {
    await using fixture = await open()
    const second = await fixture.openSecond()
    const rivals = Array.from({ length: 8 }, () => buildRun({ occurrence: '2027-01-15T00:00:00.000Z' }))
    const standing = await Promise.all(rivals.map((run, i) => (i % 2 ? second : fixture.store).runs.insert(run)))
    expect(new Set(standing.map(({ id }) => id)).size).toBe(1)
    expect(rivals).toContainEqual(standing[0])
    expect(await second.runs.unfinished(9)).toStrictEqual([standing[0]])
    // Another schedule's same occurrence, and the same schedule's other one, are runs of their own.
    const { occurrence } = rivals[0]!
    const others = [buildRun({ occurrence, scheduleId: 'meta-daily' }), buildRun()]
    for (const run of others) expect(await second.runs.insert(run)).toStrictEqual(run)
  })

  test('cursor, totals and end move together, by compare-and-set on the cursor', async () => {
    await using fixture = await open()
    const { runs } = fixture.store
    const run = buildRun()
    await runs.insert(run)
    const totals = { ...NO_TOTALS, total: 2, refreshed: 2, platforms: { bluesky: { ...NO_TOTALS, total: 2 } } }
    const step = { cursor: 'c1', totals, finishedAt: null }
    expect(await runs.advance(run.id, 'elsewhere', step)).toBe(false)
    expect(await runs.get(run.id)).toStrictEqual(run)
    expect(await runs.advance(run.id, null, step)).toBe(true)
    expect(await runs.advance(run.id, null, { ...step, cursor: 'c2' })).toBe(false)
    expect(await runs.get(run.id)).toStrictEqual({ ...run, ...step })
    expect(await runs.advance(run.id, 'c1', { ...step, finishedAt: AT + 5 })).toBe(true)
    expect(await runs.get(run.id)).toStrictEqual({ ...run, ...step, finishedAt: AT + 5 })
    expect(await runs.advance(makeId(), null, step)).toBe(false)
  })

  test('of many advances at once through two handles one counts', async () => {
    await using fixture = await open()
    const second = await fixture.openSecond()
    const run = buildRun()
    await fixture.store.runs.insert(run)
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        (i % 2 ? second : fixture.store).runs.advance(run.id, null, {
          cursor: `c${i}`,
          totals: { ...NO_TOTALS, total: i, platforms: {} },
          finishedAt: null,
        }),
      ),
    )
    expect(results.filter(Boolean)).toHaveLength(1)
    const winner = results.indexOf(true)
    expect(await second.runs.get(run.id)).toMatchObject({ cursor: `c${winner}`, totals: { total: winner } })
  })

  test('a window is noted once, and forgotten as the cursor moves', async () => {
    await using fixture = await open()
    const second = await fixture.openSecond()
    const { runs } = fixture.store
    const run = buildRun()
    await runs.insert(run)
    const windows = Array.from({ length: 10 }, () => [seen(), seen()])
    const results = await Promise.all(
      windows.map((window, i) => (i % 2 ? second : fixture.store).runs.beginWindow(run.id, null, window)),
    )
    expect(results.filter(Boolean)).toHaveLength(1)
    const window = windows[results.indexOf(true)]!
    expect(await second.runs.get(run.id)).toStrictEqual({ ...run, window })

    const step = { cursor: window.at(-1)!.id, totals: run.totals, finishedAt: null }
    expect(await second.runs.advance(run.id, null, step)).toBe(true)
    expect(await runs.get(run.id)).toStrictEqual({ ...run, ...step })
    expect(await runs.beginWindow(run.id, null, window)).toBe(false)
    expect(await runs.beginWindow(run.id, step.cursor, window)).toBe(true)
    expect(await runs.unfinished(9)).toStrictEqual([{ ...run, ...step, window }])
    await runs.advance(run.id, step.cursor, { ...step, finishedAt: AT + 5 })
    expect(await runs.beginWindow(run.id, step.cursor, window)).toBe(false)
    expect(await runs.get(run.id)).toStrictEqual({ ...run, ...step, finishedAt: AT + 5 })
    expect(await runs.beginWindow(makeId(), null, window)).toBe(false)
  })

  test('the largest window is kept', async () => {
    await using fixture = await open()
    const { runs } = fixture.store
    const run = buildRun()
    await runs.insert(run)
    const window = Array.from({ length: 1_000 }, seen)
    expect(await runs.beginWindow(run.id, null, window)).toBe(true)
    expect(await runs.get(run.id)).toStrictEqual({ ...run, window })
  })

  test('the latest run of a schedule, finished or not', async () => {
    await using fixture = await open()
    const { runs } = fixture.store
    const scheduleId = 'manual:all'
    expect(await runs.latest(scheduleId)).toBeNull()
    const later = buildRun({ scheduleId, createdAt: AT + 1, finishedAt: AT + 2 })
    const others = [buildRun({ scheduleId }), buildRun({ scheduleId: 'manual:meta', createdAt: AT + 9 })]
    for (const run of [later, ...others]) await runs.insert(run)
    expect(await runs.latest(scheduleId)).toStrictEqual(later)
  })

  test('unfinished runs, the oldest first', async () => {
    await using fixture = await open()
    const { runs } = fixture.store
    const [newer, older, finished] = [
      buildRun({ createdAt: AT + 1 }),
      buildRun({ createdAt: AT }),
      buildRun({ createdAt: AT - 1, finishedAt: AT }),
    ]
    for (const run of [newer, older, finished]) await runs.insert(run)
    expect(await runs.unfinished(9)).toStrictEqual([older, newer])
    expect(await runs.unfinished(1)).toStrictEqual([older])
  })
}
