import { makeId } from '@tokenkeeper/core'
import { AT } from '@tokenkeeper/store/build-account'
import type { RefreshResult } from '../../src/result.ts'

/** A successor as Commit writes it and as a spool keeps it, for tests. */
export function buildResult(overrides: Partial<RefreshResult> = {}): RefreshResult {
  return {
    version: 1,
    accountId: makeId(),
    generation: 1,
    connectId: 'connect-1',
    attempt: {
      id: makeId(),
      refreshType: 'scheduled',
      beganAt: AT,
      presentedDigest: '0123456789abcdef',
      workerId: 'worker-1',
    },
    sealed: 'v1.key-2.successor',
    keyId: 'key-2',
    accessExpiresAt: AT + 1,
    diesAt: AT + 2,
    oldExpiresAt: AT + 3,
    nextRefreshAt: AT + 4,
    answeredAt: AT + 5,
    note: null,
    ...overrides,
  }
}
