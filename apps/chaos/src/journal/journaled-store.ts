import type { Account } from '@tokenkeeper/core'
import type { AccountWrite, Store } from '@tokenkeeper/store'
import type { WriteNote } from './journal.ts'
import { endOf, type WriteSent } from './notes.ts'

type Description = Omit<WriteSent, 'kind' | 'at' | 'n'>

/**
 * The store with a journal of every write that touches an attempt or a credential: noted before it is sent, again when
 * it is acknowledged, and whatever a read found.
 */
export function journaledStore(store: Store, note: WriteNote): Store {
  let sent = 0

  async function noted<T>(write: Description, send: () => Promise<T>): Promise<T> {
    const n = sent++
    note({ kind: 'sent', at: Date.now(), n, ...write })
    const result = await send()
    note({ kind: 'acknowledged', at: Date.now(), n, applied: result !== false })
    return result
  }

  return {
    ...store,
    accounts: {
      ...store.accounts,
      insert: (account) => noted(describeInsert(account), () => store.accounts.insert(account)),
      async get(id) {
        const account = await store.accounts.get(id)
        if (account) note(describeSeen(account))
        return account
      },
      async write(write) {
        const description = describeWrite(write)
        return description ? noted(description, () => store.accounts.write(write)) : store.accounts.write(write)
      },
    },
  }
}

/** Null for a write that touches neither. */
function describeWrite({ accountId, when, change }: AccountWrite): Description | null {
  const { attempt, lastAttempt, sealedCredential } = change.set ?? {}
  if (attempt === undefined && !lastAttempt && sealedCredential === undefined) return null
  // Release, hold and fail keep their own attempt standing; only another one begins.
  const begins = attempt && attempt.id !== when.attemptId ? attempt : undefined
  return {
    accountId,
    standing: when.attemptId,
    begins: begins && { id: begins.id, digest: begins.presentedDigest },
    ends: lastAttempt ? { id: lastAttempt.id, outcome: lastAttempt.outcome } : undefined,
    stores: sealedCredential ? { sealed: sealedCredential } : undefined,
  }
}

function describeInsert({ id, sealedCredential }: Account): Description {
  const stores = { sealed: sealedCredential }
  return { accountId: id, standing: undefined, begins: undefined, ends: undefined, stores }
}

function describeSeen({ id, attempt, lastAttempt, sealedCredential }: Account) {
  return {
    kind: 'seen' as const,
    at: Date.now(),
    accountId: id,
    attemptId: attempt?.id ?? null,
    last: lastAttempt && { id: lastAttempt.id, outcome: lastAttempt.outcome },
    sealedEnd: endOf(sealedCredential),
  }
}
