/** How much is measured. */
export interface Sizes {
  /** Alternating rounds that count. */
  readonly rounds: number
  /** Refreshes a round, at a provider that answers at once. */
  readonly overheadJobs: Readonly<Record<'sqlite' | 'mongo', number>>
  /** Refreshes a round, for each place of concurrency. */
  readonly ioJobsPerPlace: number
  readonly loopJobs: number
  readonly due: number
  /** Accounts of the larger database, by store; the smaller one has a hundredth, on MongoDB a twentieth. */
  readonly sweep: Readonly<Record<'sqlite' | 'mongo', { readonly small: number; readonly large: number }>>
  readonly drainAccounts: number
  readonly pickup: { readonly accounts: number; readonly samples: number }
  readonly seals: number
}

/** What docs/benchmarks.md reports. */
export const FULL: Sizes = {
  rounds: 5,
  overheadJobs: { sqlite: 10_000, mongo: 2_000 },
  ioJobsPerPlace: 25,
  loopJobs: 30,
  due: 1_000,
  sweep: { sqlite: { small: 10_000, large: 1_000_000 }, mongo: { small: 10_000, large: 200_000 } },
  drainAccounts: 100_000,
  pickup: { accounts: 20_000, samples: 60 },
  seals: 20_000,
}

/** Shows that everything runs; its figures mean nothing. */
export const TINY: Sizes = {
  rounds: 1,
  overheadJobs: { sqlite: 50, mongo: 50 },
  ioJobsPerPlace: 1,
  loopJobs: 3,
  due: 50,
  sweep: { sqlite: { small: 500, large: 5_000 }, mongo: { small: 200, large: 1_000 } },
  drainAccounts: 2_500,
  pickup: { accounts: 2_500, samples: 3 },
  seals: 100,
}
