import { type Account, CodedError } from '@tokenkeeper/core'
import { type CopyOptions, copyStore } from './copy.ts'
import type { Store } from './store.ts'

const BATCH_SIZE = 500
/** Others would have to remove an account and connect it anew in each of them. */
const MOST_TRIES = 5

/**
 * Copies a store that others work on to one that nobody else knows. What they change or remove meanwhile is no fault of the
 * copy: resolves with how many accounts changed after they were copied; those that were removed are in it no more.
 * Rejects with BACKUP_INVALID if the copy does not hold what was read.
 */
export async function copyInUse(from: Store, to: Store, options: CopyOptions = {}): Promise<number> {
  for (let tries = 1; ; tries++) {
    const { reasons } = await copyStore(from, to, options)
    // Last of all, so that none stands beside the note of its removal; and it may be in the way of its successor.
    await dropRemoved(from, to, options)
    if (reasons.different + reasons.newer === 0) return reasons.changed
    if (tries === MOST_TRIES) {
      throw new CodedError('BACKUP_INVALID', { publicMessage: 'The backup does not hold what was read: try again.' })
    }
  }
}

async function dropRemoved(from: Store, to: Store, { batchSize: limit = BATCH_SIZE }: CopyOptions): Promise<void> {
  for (let afterId: string | null = null; ; ) {
    const accounts: Account[] = await to.accounts.list({ afterId, limit })
    const last = accounts.at(-1)
    if (!last) return
    const standing = new Set((await from.accounts.getMany(accounts.map(({ id }) => id))).map(({ id }) => id))
    for (const account of accounts.filter(({ id }) => !standing.has(id))) await drop(to, account)
    afterId = last.id
  }
}

async function drop({ accounts, pages, log }: Store, { id, status, outbox }: Account): Promise<void> {
  await accounts.write({
    name: 'drop',
    accountId: id,
    when: {},
    change: { set: {}, status: { [status]: 'removing' } },
  })
  await accounts.pull(
    id,
    outbox.map((item) => item.id),
  )
  await pages.removeAccount(id)
  await log.removeAccount(id)
  await accounts.deleteRemoved(id)
}
