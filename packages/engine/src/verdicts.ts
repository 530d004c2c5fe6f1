import type { NeedsActionVerdict, RetryVerdict } from '@tokenkeeper/core'

/** Verdicts that the engine itself comes to. */
export const leaseLost: RetryVerdict = { kind: 'retry', code: 'LEASE_LOST', spent: 'no' }
export const timedOut: RetryVerdict = { kind: 'retry', code: 'PROVIDER_TIMEOUT', spent: 'unknown' }
export const shorterToken: RetryVerdict = { kind: 'retry', code: 'PROVIDER_SHORTER_TOKEN', spent: 'no' }

export const appChanged: NeedsActionVerdict = { kind: 'needs_action', code: 'APP_CHANGED' }

/** Providers do not reject; if one does, its token may have been spent. */
export function rejected(error: unknown): RetryVerdict {
  return {
    kind: 'retry',
    code: 'INTERNAL',
    spent: 'unknown',
    internal: error instanceof Error ? error.message : String(error),
  }
}
