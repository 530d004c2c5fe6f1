import { expect, test } from 'vitest'
import { MUTATIONS } from '../src/mutations/mutations.ts'
import { runBatches } from '../src/threads/pool.ts'

/** Among the same schedules that break nothing while all rules hold. */
const RUNS = 20_000

test('each rule that is switched off is missed', { timeout: 20 * 60_000 }, async () => {
  const found = await runBatches(
    MUTATIONS.map(({ name }) => ({ seed: 1, runs: RUNS, without: name, untilFound: true })),
  )
  for (const [i, { name, breaks }] of MUTATIONS.entries()) {
    const { runs, failures } = found[i]!
    const failure = failures.find(({ invariant }) => breaks.some((one) => one === invariant))
    console.log(
      `${name}: ${failure ? `seed ${failure.seed}, ${failure.invariant}: ${failure.what}` : `not in ${runs}`}`,
    )
    expect.soft(failure, name).toBeDefined()
  }
})
