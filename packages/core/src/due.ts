import { hash } from 'node:crypto'
import type { CredentialKind, Failure } from './account.ts'
import { DAY, HOUR, MINUTE, SECOND } from './clock.ts'

export interface DuePolicy {
  /** Tokens that are extended fall due this long before they die (ms). REFRESH_THRESHOLD_DAYS. */
  readonly thresholdMs: number
  /** Sessions that rotate fall due this long after their last refresh (ms). */
  readonly rotateEveryMs: number
  /** The stable offset brings a due time forward by up to this much (ms), so that accounts connected together spread. */
  readonly spreadMs: number
}

export const DEFAULT_DUE_POLICY: DuePolicy = { thresholdMs: 7 * DAY, rotateEveryMs: 7 * DAY, spreadMs: 48 * HOUR }

/** Tokens whose end the provider did not tell are looked at this often. */
const UNKNOWN_END_MS = 7 * DAY

/** What a due time depends on. All times in ms since the epoch. */
export interface DueFacts {
  readonly id: string
  readonly kind: CredentialKind
  readonly diesAt: number | null
  /** When the user has to consent anew: it falls due before that too, since a refresh is what warns of it. */
  readonly dataAccessExpiresAt?: number | null
}

/** When a credential refreshed at `at` falls due again (ms since the epoch); an hour after `at` at the earliest. */
export function nextDueAt(account: DueFacts, at: number, policy: DuePolicy): number {
  const due = dueBeforeDeath(account, at, policy)
  const { dataAccessExpiresAt } = account
  if (!dataAccessExpiresAt) return due
  const offset = Math.floor(stableFraction(account.id) * policy.spreadMs)
  const warning = dataAccessExpiresAt - policy.thresholdMs - offset
  // Then the end itself, at which the provider tells whether the user has moved it meanwhile.
  const next = warning >= at + HOUR ? warning : dataAccessExpiresAt + MINUTE
  return next >= at + HOUR ? Math.min(due, next) : due
}

/** Whether an end is so near that whoever can move it should be told: no refresh comes before it that could tell later. */
export function endsSoon(end: number, at: number, { thresholdMs, spreadMs }: DuePolicy): boolean {
  return end - at <= thresholdMs + spreadMs
}

function dueBeforeDeath(account: DueFacts, at: number, policy: DuePolicy): number {
  const base =
    account.kind === 'grace'
      ? at + policy.rotateEveryMs
      : account.diesAt === null
        ? at + UNKNOWN_END_MS
        : account.diesAt - policy.thresholdMs
  // A spread wider than half the wait would bring some accounts forward to now.
  const spread = Math.min(policy.spreadMs, Math.max(0, base - at) / 2)
  const due = Math.floor(base - stableFraction(account.id) * spread)
  if (account.diesAt === null) return due
  // A life too short for the policy: half of what is left, but never a tight loop.
  return due >= at + HOUR && due < account.diesAt ? due : at + Math.max(HOUR, Math.floor((account.diesAt - at) / 2))
}

/**
 * Two ends of tokens that lie no further apart (ms) are the same: a lifetime is told in whole seconds, by answers that
 * took their time, and read by machines whose clocks differ. What is extended gets days.
 */
export const SAME_END_MS = HOUR

/** A number in [0, 1) that depends on the id alone. */
export function stableFraction(id: string): number {
  return hash('sha256', id, 'buffer').readUInt32BE(0) / 2 ** 32
}

/** When to try again after a failure that surely spent nothing: 1 min doubling to 6 h, with up to 20 % jitter. */
export function backOffMs(failureCount: number, random: () => number): number {
  return jittered(Math.min(6 * HOUR, MINUTE * 2 ** Math.min(failureCount - 1, 20)), random)
}

/**
 * When a token whose outcome is unknown may be presented again: 1 s doubling to 5 min, and well before the grace ends.
 * `deadline` is firstSentAt + grace - margin, where the kind has a grace.
 */
export function releaseBackOffMs(
  failureCount: number,
  now: number,
  deadline: number | null,
  random: () => number,
): number {
  const wait = jittered(Math.min(5 * MINUTE, SECOND * 2 ** Math.min(failureCount - 1, 20)), random)
  return deadline !== null && now < deadline ? Math.min(wait, Math.max(SECOND, deadline - now)) : wait
}

/** The failure after one more: the count goes on until a success, `since` while class and code stay the same. */
export function nextFailure(
  previous: Failure | null,
  failure: { readonly class: Failure['class']; readonly code: string },
  now: number,
): Failure {
  const same = previous !== null && previous.class === failure.class && previous.code === failure.code
  return { ...failure, count: (previous?.count ?? 0) + 1, since: same ? previous.since : now }
}

function jittered(ms: number, random: () => number): number {
  return Math.floor(ms * (1 - 0.2 * random()))
}
