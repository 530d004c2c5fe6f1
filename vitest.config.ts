import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

const results = process.env.TEST_RESULTS

/** `pnpm test`: what is over within minutes. What proves at length is in vitest.proof.config.ts. */
export default defineConfig({
  test: {
    include: ['{packages,apps}/*/test/**/*.test.ts'],
    // Most of them wait for leases and for other processes, so that two at once suit two cores.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // Real servers on machines that do other things as well: slow is not wrong. What must be fast, a benchmark shows.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    reporters: ['default', ...(results ? [['json', { outputFile: results }] as const] : [])],
  },
})
