import { defineConfig } from 'vitest/config'

const results = process.env.TEST_RESULTS

/** What proves at length: `pnpm test:proof`. */
export default defineConfig({
  test: {
    include: ['{packages,apps}/*/proof/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    reporters: ['default', ...(results ? [['json', { outputFile: results }] as const] : [])],
  },
})
