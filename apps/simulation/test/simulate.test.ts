import { expect, test } from 'vitest'
import { runBatch } from '../src/batch.ts'
import { runSchedule } from '../src/simulate.ts'
import { runBatches } from '../src/threads/pool.ts'

const SEED = 500
const RUNS = 40

test('a seed gives the same schedule, step by step, whatever ran before it', async () => {
  for (let seed = SEED; seed < SEED + RUNS; seed++) {
    const first = await runSchedule(seed, { traced: true })
    await runSchedule(seed + RUNS)
    expect(await runSchedule(seed, { traced: true })).toEqual(first)
  }
})

test('a trace changes nothing', async () => {
  for (let seed = SEED; seed < SEED + RUNS; seed++) {
    const { trace, ...traced } = await runSchedule(seed, { traced: true })
    expect(trace.length).toBeGreaterThan(20)
    expect(await runSchedule(seed)).toEqual({ ...traced, trace: [] })
  }
})

test('an error of the simulation itself is told with its seed', async () => {
  const alter = () => {
    throw new Error('out of order')
  }
  const mutation = { name: 'broken', rule: '', breaks: [], alter }
  const { seed, violations, trace } = await runSchedule(SEED, { mutation, traced: true })
  expect([seed, violations]).toEqual([SEED, [{ invariant: 'the simulation', what: 'Error: out of order' }]])
  expect(trace.length).toBeGreaterThan(0)
})

test('threads give what one process gives, in the order that was asked for', async () => {
  const batches = [3, 1, 2].map((n) => ({ seed: SEED * n, runs: 10 }))
  const alone = []
  for (const batch of batches) alone.push(await runBatch(batch))
  expect(await runBatches(batches)).toEqual(alone)
})

test('schedules have faults of every kind, people, and refreshes', async () => {
  const struck = new Set<string>()
  let refreshes = 0
  for (let seed = SEED; seed < SEED + 1_500; seed++) {
    const result = await runSchedule(seed)
    expect(result.violations).toEqual([])
    for (const fault of result.struck) struck.add(fault)
    refreshes += result.counts.refreshes
  }
  expect(refreshes).toBeGreaterThan(2_000)
  const { FAULTS } = await import('../src/faults.ts')
  // A clock that is off is drawn, and does not strike.
  expect([...struck, 'clock.skew'].toSorted()).toEqual(Object.keys(FAULTS).toSorted())
})
