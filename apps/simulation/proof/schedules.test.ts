import { expect, test } from 'vitest'
import { runSchedules } from '../src/threads/pool.ts'

const RUNS = 20_000

// As long as a machine with other things to do may need for it.
test('20,000 schedules break no invariant', { timeout: 10 * 60_000 }, async () => {
  const { runs, failures, counts } = await runSchedules({ seed: 1, runs: RUNS })
  expect(failures).toEqual([])
  expect(runs).toBe(RUNS)
  // They came to what they are to prove.
  expect(counts.refreshes).toBeGreaterThan(RUNS)
  for (const count of Object.values(counts)) expect(count).toBeGreaterThan(0)
})
