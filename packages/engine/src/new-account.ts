import type { Account, AuditAction, AuditEntry } from '@tokenkeeper/core'
import type { FreshLogin, Provider } from '@tokenkeeper/providers'
import type { EngineDeps } from './deps.ts'
import { dueAt } from './due.ts'
import { pagesOf } from './pages/page-fetch.ts'

export interface Owner {
  readonly ownerId: string
  readonly ownerEmail?: string
}

/** The first generation of an account, from a login that was made at `now` (ms). */
export function newAccount(
  deps: EngineDeps,
  provider: Provider,
  login: FreshLogin,
  { id, connectId, now, owner }: { id: string; connectId: string; now: number; owner: Owner },
): Account {
  const { credential, ...facts } = login
  const { diesAt, dataAccessExpiresAt = null } = login
  const { sealed, keyId } = deps.sealer.seal(JSON.stringify(credential), id, 'credential')
  return {
    ...facts,
    id,
    ownerId: owner.ownerId,
    status: 'active',
    statusReason: null,
    generation: 1,
    sealedCredential: sealed,
    keyId,
    previousCredential: null,
    previousKeyId: null,
    formerCredentials: [],
    connectId,
    dataAccessExpiresAt,
    connectedAt: now,
    lastRefreshedAt: null,
    nextRefreshAt: dueAt(
      deps,
      provider,
      { id, diesAt, dataAccessExpiresAt, connectedAt: now, lastRefreshedAt: null },
      now,
    ),
    snoozedAt: null,
    failure: null,
    attempt: null,
    lastAttempt: null,
    pagesGeneration: 0,
    pagesDueAt: pagesOf(provider) ? now : null,
    outbox: [],
    ownerEmail: owner.ownerEmail ?? null,
    sealedAppPassword: null,
    appPasswordKeyId: null,
    appPasswordTriedAt: null,
  }
}

export function auditOf(
  { id: accountId, platform }: Account,
  { id, action, actor, at }: { id: string; action: AuditAction; actor: string; at: number },
): AuditEntry {
  return { id, accountId, action, actor, detail: platform, at }
}

/** What the insert of an account tells. */
export function firstNews({ id: accountId, connectId: id }: Account, audit: AuditEntry): Account['outbox'] {
  return [
    { kind: 'event', id, entry: { id, accountId, type: 'account.connected', reason: null, at: audit.at } },
    { kind: 'audit', id: audit.id, entry: audit },
  ]
}
