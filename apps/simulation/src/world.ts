import type { CredentialKind } from '@tokenkeeper/core'
import type { Checker } from './check/checker.ts'
import type { Faults } from './faults.ts'
import type { Jobs } from './fleet/jobs.ts'
import type { Machine } from './fleet/machine.ts'
import type { Mutation } from './mutations/mutation.ts'
import type { Plan } from './plan.ts'
import type { ProviderModel } from './providers/model.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'
import type { Database } from './store/database.ts'

/** Everything that one schedule consists of. Nothing of it outlives the schedule. */
export interface World {
  readonly plan: Plan
  readonly random: Random
  readonly scheduler: Scheduler
  readonly faults: Faults
  readonly database: Database
  readonly providers: Readonly<Record<CredentialKind, ProviderModel>>
  readonly machines: readonly Machine[]
  readonly jobs: Jobs
  readonly checker: Checker
  readonly conditions: Conditions
  /** The rule that is switched off, to see whether that is found. */
  readonly mutation: Mutation | null
  /** Numbers in place of random ids. */
  count(): number
  /** Adds a line to the trace, if there is one. */
  trace(text: () => string): void
}

/** What is wrong for a while; times in ms since the epoch. */
export interface Conditions {
  storeAwayUntil: number
  /** No majority hears of what the primary does. */
  cutOffUntil: number
  spoolFullUntil: number
  falseDeadUntil: number
  checkpointUntil: number
  /** The keys that a process starts with, the sealing one first. */
  keyIds: readonly string[]
  /** Before and after the time in which things happen. */
  calm: boolean
}
