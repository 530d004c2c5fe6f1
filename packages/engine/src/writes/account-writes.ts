import type {
  Account,
  AccountEventType,
  AccountStatus,
  Attempt,
  AuditEntry,
  Failure,
  OutboxItem,
} from '@tokenkeeper/core'
import { idFrom } from '@tokenkeeper/core'
import type { AccountWrite } from '@tokenkeeper/store'
import { currentOf, previousOf, withFormer } from '../former-credentials.ts'
import { tellDisplaced } from './attempt-writes.ts'
import { tellEvent } from './tell.ts'

/** The protocol's writes outside an attempt. Pure, like those of an attempt. */

/** Budget or breaker: nothing began, nothing is told. */
export function snooze(account: Account, now: number, until: number): AccountWrite {
  return write(
    'snooze',
    account,
    { generation: account.generation, attemptId: null },
    {
      set: { nextRefreshAt: until, snoozedAt: now },
    },
  )
}

/** As snooze, where an attempt is to be recovered: a live one, whose owner is gone, waits by its lease. */
export function postpone(account: Account, attempt: Attempt, now: number, notBefore: number): AccountWrite {
  const { generation } = account
  const live = attempt.state === 'live'
  return write(
    'postpone',
    account,
    {
      generation,
      attemptId: attempt.id,
      attemptState: attempt.state,
      ...(live ? { attemptLeaseUntil: attempt.leaseUntil } : {}),
    },
    {
      set: { nextRefreshAt: notBefore, snoozedAt: now, ...(live ? {} : { attempt: { ...attempt, notBefore } }) },
      ...(live ? { leaseUntil: notBefore } : {}),
    },
  )
}

/**
 * Our own fault: the credential does not open. Tried again at `probeAt`, since a key may come back. What else was to be
 * done with the account waits too, also where its status stays because somebody paused it.
 */
export function quarantine(account: Account, at: number, probeAt: number, code: string): AccountWrite {
  const { attempt } = account
  const told = account.statusReason === code
  const waiting =
    attempt === null || attempt.state === 'live'
      ? {}
      : { attempt: { ...attempt, notBefore: probeAt } satisfies Attempt }
  return write(
    'quarantine',
    account,
    { ...asRead(account), attemptId: attempt?.id ?? null },
    {
      set: { nextRefreshAt: probeAt, statusReason: code, ...waiting },
      ...(attempt?.state === 'live' ? { leaseUntil: probeAt } : {}),
      status: { active: 'quarantined', needs_action: 'quarantined' },
      tell: told ? [] : [tellNews(account, 'account.quarantined', code, at)],
    },
  )
}

export function unquarantine(account: Account, at: number): AccountWrite {
  return write(
    'unquarantine',
    account,
    { ...asRead(account), statusIn: ['quarantined'] },
    {
      set: { statusReason: null },
      status: { quarantined: 'active' },
      tell: [tellNews(account, 'account.unquarantined', null, at)],
    },
  )
}

/** A committed answer came with a reason to doubt the account's home: ask again soon. Only if nothing happened since. */
export function suspectMove(account: Account, generation: number, failure: Failure, retryAt: number): AccountWrite {
  return write('suspect', account, { generation, attemptId: null }, { set: { failure, nextRefreshAt: retryAt } })
}

/** The identity said twice that the account lives elsewhere now. */
export function moved(
  account: Account,
  generation: number,
  failure: Failure,
  reason: string,
  at: number,
): AccountWrite {
  return write(
    'moved',
    account,
    { generation, attemptId: null, statusIn: ['active'] },
    {
      set: { failure, statusReason: reason },
      status: { active: 'needs_reconnect' },
      tell: [tellNews(account, 'account.needs_reconnect', reason, at)],
    },
  )
}

/** A fresh login takes the place of whatever credential stood there. */
export function reconnect(account: Account, connected: Account, audit: AuditEntry): AccountWrite {
  const { connectId } = connected
  const {
    id: _id,
    ownerId: _o,
    platform: _p,
    providerAppId: _a,
    externalId: _e,
    status: _s,
    outbox: _x,
    lastAttempt: _l,
    ...fields
  } = connected
  const at = connected.connectedAt
  return write(
    'reconnect',
    account,
    {
      generation: account.generation,
      attemptId: account.attempt?.id ?? null,
      connectIdNot: connectId,
      statusNot: 'removing',
    },
    {
      set: {
        ...fields,
        formerCredentials: withFormer(account, [...previousOf(account), ...currentOf(account)], at),
        generation: account.generation + 1,
      },
      status: toAll('active'),
      tell: [
        ...tellDisplaced(account, null, at, 'superseded'),
        tellNews(account, 'account.connected', null, at, connectId),
        { kind: 'audit', id: audit.id, entry: audit },
      ],
    },
  )
}

/** Both credentials, and the app password, sealed anew. */
export function reseal(account: Account, fields: AccountWrite['change']['set'] & object): AccountWrite {
  return write(
    'reseal',
    account,
    { ...asRead(account), previousCredential: account.previousCredential },
    { set: fields },
  )
}

export function pause(account: Account, audit: AuditEntry): AccountWrite {
  return write(
    'pause',
    account,
    { statusIn: ['active'] },
    {
      status: { active: 'paused' },
      tell: [{ kind: 'audit', id: audit.id, entry: audit }],
    },
  )
}

export function resume(account: Account, audit: AuditEntry): AccountWrite {
  return write(
    'resume',
    account,
    { statusIn: ['paused'] },
    {
      status: { paused: 'active' },
      tell: [{ kind: 'audit', id: audit.id, entry: audit }],
    },
  )
}

/** Erases the credentials; the document goes when all is told. */
export function remove(account: Account, audit: AuditEntry): AccountWrite {
  return write(
    'remove',
    account,
    { generation: account.generation, attemptId: account.attempt?.id ?? null, statusNot: 'removing' },
    {
      set: {
        sealedCredential: '',
        keyId: '',
        previousCredential: null,
        previousKeyId: null,
        formerCredentials: [],
        sealedAppPassword: null,
        appPasswordKeyId: null,
        attempt: null,
      },
      status: toAll('removing'),
      tell: [...tellDisplaced(account, null, audit.at, 'removed'), { kind: 'audit', id: audit.id, entry: audit }],
    },
  )
}

/** Notes that the app password is about to be used, so that it is used at most once a day; null takes that back. */
export function tryAppPassword(account: Account, attemptId: string, at: number | null): AccountWrite {
  return write(
    'try-app-password',
    account,
    { generation: account.generation, attemptId },
    { set: { appPasswordTriedAt: at } },
  )
}

function write(
  name: string,
  account: Account,
  when: AccountWrite['when'],
  change: AccountWrite['change'],
): AccountWrite {
  return { name, accountId: account.id, when, change }
}

function asRead(account: Account): AccountWrite['when'] {
  return { generation: account.generation, sealedCredential: account.sealedCredential }
}

function toAll(status: AccountStatus): Partial<Record<AccountStatus, AccountStatus>> {
  return {
    active: status,
    paused: status,
    needs_action: status,
    needs_reconnect: status,
    quarantined: status,
  }
}

function tellNews(
  account: Account,
  type: AccountEventType,
  reason: string | null,
  at: number,
  part = String(at),
): OutboxItem {
  return tellEvent({ id: idFrom(account.id, type, part), accountId: account.id, type, reason, at })
}
