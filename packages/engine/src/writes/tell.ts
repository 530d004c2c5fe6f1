import type {
  AccountEvent,
  Attempt,
  AttemptOutcome,
  ErrorCode,
  Extension,
  OutboxItem,
  RefreshLogEntry,
} from '@tokenkeeper/core'
import { ERRORS } from '@tokenkeeper/core'

interface AttemptEnd {
  readonly accountId: string
  readonly attempt: Pick<Attempt, 'id' | 'refreshType' | 'beganAt' | 'presentedDigest' | 'workerId'>
  readonly outcome: AttemptOutcome
  readonly generation: number
  readonly at: number
  readonly oldExpiresAt: number | null
  readonly newExpiresAt?: number | null
  readonly extension?: Extension | undefined
  readonly error?: { readonly class: string; readonly code: ErrorCode }
}

/** The one log entry of an attempt, as an outbox item under the attempt's id and outcome. */
export function tellAttempt(end: AttemptEnd): OutboxItem {
  const entry: RefreshLogEntry = {
    id: end.attempt.id,
    accountId: end.accountId,
    pageId: null,
    refreshType: end.attempt.refreshType,
    outcome: end.outcome,
    success: end.outcome === 'refreshed',
    errorClass: end.error?.class ?? null,
    errorCode: end.error?.code ?? null,
    errorMessage: end.error ? ERRORS[end.error.code] : null,
    oldExpiresAt: end.oldExpiresAt,
    newExpiresAt: end.newExpiresAt ?? null,
    extension: end.extension ?? null,
    generation: end.generation,
    tokenDigest: end.attempt.presentedDigest,
    durationMs: Math.max(0, end.at - end.attempt.beganAt),
    workerId: end.attempt.workerId,
    refreshedAt: end.at,
  }
  return { kind: 'log', id: `${end.attempt.id}:${end.outcome}`, entry }
}

/** An event as an outbox item, both under the event's id: what is told twice under one id is told once. */
export function tellEvent(event: AccountEvent): OutboxItem {
  return { kind: 'event', id: event.id, entry: event }
}
