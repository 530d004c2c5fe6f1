import type { LastAttempt } from './account.ts'

/**
 * Names the last attempt and how it ended: if two looks at an account find different keys, something was attempted
 * between them, whatever the clocks of the machines say. The outcome belongs to it, since a late answer may change it.
 */
export function attemptKey(lastAttempt: LastAttempt | null): string {
  return lastAttempt === null ? 'none' : `${lastAttempt.id}:${lastAttempt.outcome}`
}
