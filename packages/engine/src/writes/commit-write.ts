import type { Account, AccountEventType, OutboxItem } from '@tokenkeeper/core'
import { idFrom } from '@tokenkeeper/core'
import type { AccountWrite } from '@tokenkeeper/store'
import { isWarning } from '../due.ts'
import { previousOf, withFormer } from '../former-credentials.ts'
import type { RefreshResult } from '../result.ts'
import { tellDisplaced } from './attempt-writes.ts'
import { tellAttempt, tellEvent } from './tell.ts'

/**
 * Commit, and replay, which is the same write: the attempt decides who may call, the generation decides what may be
 * written. That it also names the attempt it saw only keeps the telling exact; who does not match reads again.
 */
export function commit(account: Account, result: RefreshResult, at: number): AccountWrite {
  return {
    name: 'commit',
    accountId: account.id,
    when: {
      generation: result.generation,
      connectId: result.connectId,
      attemptId: account.attempt?.id ?? null,
      statusNot: 'removing',
    },
    change: {
      keepPrevious: true,
      status: { needs_reconnect: 'active', needs_action: 'active', quarantined: 'active' },
      set: {
        sealedCredential: result.sealed,
        keyId: result.keyId,
        formerCredentials: withFormer(account, previousOf(account), at),
        accessExpiresAt: result.accessExpiresAt,
        diesAt: result.diesAt,
        ...(result.dataAccessExpiresAt !== undefined && { dataAccessExpiresAt: result.dataAccessExpiresAt }),
        ...(result.pagesDueAt !== undefined && { pagesDueAt: result.pagesDueAt }),
        lastRefreshedAt: result.answeredAt,
        nextRefreshAt: result.nextRefreshAt,
        generation: result.generation + 1,
        attempt: null,
        failure: null,
        statusReason: result.note,
        lastAttempt: { id: result.attempt.id, outcome: 'refreshed', generation: result.generation, at },
      },
      tell: [...tellDisplaced(account, result.attempt.id, at), ...tellRefreshed(account, result, at)],
    },
  }
}

/**
 * The generation that this attempt's own commit was written over; null if none is known to have arrived. Only with the
 * outcome refreshed: others may tell of it as interrupted.
 */
export function committedOn(account: Account, attemptId: string): number | null {
  const { lastAttempt, outbox } = account
  if (lastAttempt?.id === attemptId && lastAttempt.outcome === 'refreshed') return lastAttempt.generation
  for (const item of outbox) {
    if (item.kind === 'log' && item.entry.id === attemptId && item.entry.outcome === 'refreshed') {
      return item.entry.generation
    }
  }
  return null
}

function tellRefreshed(account: Account, result: RefreshResult, at: number): OutboxItem[] {
  const log = tellAttempt({
    accountId: account.id,
    attempt: result.attempt,
    outcome: 'refreshed',
    generation: result.generation,
    at: result.answeredAt,
    oldExpiresAt: result.oldExpiresAt,
    newExpiresAt: result.accessExpiresAt,
    extension: result.extension,
  })
  const tellNews = (type: AccountEventType, reason: string | null) =>
    tellEvent({ id: idFrom(result.attempt.id, type), accountId: account.id, type, reason, at })
  const isRevived = account.status !== 'active' && account.status !== 'paused'
  return [
    log,
    ...(isRevived ? [tellNews('account.revived', account.statusReason)] : []),
    // Once: the warning stands beside the account until an answer takes it back.
    ...(isWarning(result.note) && account.statusReason !== result.note
      ? [tellNews('account.reconnect_soon', result.note)]
      : []),
  ]
}
