import type { Account } from '@tokenkeeper/core'
import type { AccountWrite, Change, Condition } from '../write.ts'

/** What a store must do with one write, in memory: the account afterwards, or null if the condition does not hold. */
export function applyToModel(account: Account, write: AccountWrite): Account | null {
  return holds(account, write.when) ? changed(account, write.change) : null
}

function holds({ attempt, ...account }: Account, when: Condition): boolean {
  const checks: boolean[] = [
    when.generation === undefined || account.generation === when.generation,
    when.generationBelow === undefined || account.generation < when.generationBelow,
    when.attemptId === undefined || (attempt?.id ?? null) === when.attemptId,
    when.attemptState === undefined || attempt?.state === when.attemptState,
    when.attemptLeaseUntil === undefined || attempt?.leaseUntil === when.attemptLeaseUntil,
    when.statusIn === undefined || when.statusIn.includes(account.status),
    when.statusNot === undefined || account.status !== when.statusNot,
    when.connectId === undefined || account.connectId === when.connectId,
    when.connectIdNot === undefined || account.connectId !== when.connectIdNot,
    when.sealedCredential === undefined || account.sealedCredential === when.sealedCredential,
    when.previousCredential === undefined || account.previousCredential === when.previousCredential,
    when.pagesDueAt === undefined || account.pagesDueAt === when.pagesDueAt,
  ]
  return checks.every(Boolean)
}

function changed(account: Account, change: Change): Account {
  const next = {
    ...account,
    ...change.set,
    status: change.status?.[account.status] ?? account.status,
    outbox: [...account.outbox, ...(change.tell ?? [])],
  }
  if (change.leaseUntil !== undefined && account.attempt) {
    next.attempt = { ...account.attempt, leaseUntil: change.leaseUntil }
  }
  if (change.keepPrevious) {
    next.previousCredential = account.sealedCredential
    next.previousKeyId = account.keyId
  }
  return next
}
