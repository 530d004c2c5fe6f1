import type { Account } from '@tokenkeeper/core'
import { hasCode, idFrom, toCodedError } from '@tokenkeeper/core'
import { openCredential } from '../credentials.ts'
import type { EngineDeps } from '../deps.ts'
import { auditOf, firstNews } from '../new-account.ts'
import { relayAccount, writeAndRelay } from '../relay.ts'
import { restoreRemoval } from '../remove-account.ts'
import type { RefreshResult } from '../result.ts'
import { wasRemoved } from '../was-removed.ts'
import { restore, restoreLogin } from '../writes/restore-writes.ts'
import type { JournalRecord } from './journal.ts'
import { type JournalFile, journalFiles } from './journal-files.ts'
import { readJournalFile } from './read-journal.ts'

/** What was found in journals, and what was done with it. */
export interface JournalCounts {
  readonly files: number
  readonly records: number
  /** Accounts that got a newer credential of the login that stands there. */
  readonly refreshed: number
  /** Accounts that are back, or got a newer login. */
  readonly connected: number
  /** Accounts that the backup still held, and that were removed since. */
  readonly removed: number
  /** Lines that are damaged, or of a newer version. */
  readonly unreadable: number
  /** Newer credentials that were left out since they do not open: with their key in the ring, restore again. */
  readonly unopened: number
  /** Newer credentials of accounts, or of logins, that neither backup nor journals know: another machine's journal does. */
  readonly unknown: number
  /** Logins that were left out since another account has them. */
  readonly taken: number
}

/** `total` is known once all records were read for the first time. */
export type RestoreProgress = (done: number, total?: number) => void

type Counts = { -readonly [name in keyof JournalCounts]: number }
type Kind = JournalRecord['kind']
type RecordOf<K extends Kind> = Extract<JournalRecord, { readonly kind: K }>

/** So many records are in memory at a time. */
const BATCH = 500

/**
 * Reads all records once for each kind, so that their order does not matter: removals make room for logins, and logins
 * are what refreshes belong to. Rejects as the store does, or if a file cannot be read; done again it goes on.
 */
export async function restoreFromJournal(
  deps: EngineDeps,
  dirs: readonly string[],
  onProgress: RestoreProgress = () => {},
): Promise<JournalCounts> {
  const files = (await Promise.all(dirs.map(journalFiles))).flat()
  const counts: Counts = {
    files: files.length,
    records: 0,
    refreshed: 0,
    connected: 0,
    removed: 0,
    unreadable: 0,
    unopened: 0,
    unknown: 0,
    taken: 0,
  }
  for await (const batch of batches(files)) {
    counts.records += batch.length
    counts.unreadable += batch.filter((record) => record === null).length
    for (const { audit } of ofKind(batch, 'removed')) if (await restoreRemoval(deps, audit)) counts.removed++
    onProgress(counts.records)
  }
  let done = counts.records
  const advance = (records: number) => {
    done += records
    onProgress(done, 3 * counts.records)
  }
  for await (const batch of batches(files)) {
    const newest = newestOf(
      ofKind(batch, 'connected').map(({ account }) => account),
      ({ id }) => id,
    )
    await withStanding(
      deps,
      newest,
      ({ id }) => id,
      (login, standing) => bringBack(deps, login, standing, counts),
    )
    advance(batch.length)
  }
  for await (const batch of batches(files)) {
    const results = ofKind(batch, 'refreshed').map(({ result }) => result)
    const newest = newestOf(results, ({ accountId, connectId }) => `${accountId} ${connectId}`)
    await withStanding(
      deps,
      newest,
      ({ accountId }) => accountId,
      (result, standing) => bringUpToDate(deps, result, standing, counts),
    )
    advance(batch.length)
  }
  return counts
}

async function bringBack(deps: EngineDeps, login: Account, read: Account | null, counts: Counts): Promise<void> {
  // The same for the same login, so that restoring twice notes it once.
  const id = idFrom('restored', login.id, login.connectId)
  const audit = auditOf(login, { id, action: 'account.connected', actor: 'restore', at: login.connectedAt })
  for (let standing = read; ; standing = await deps.store.accounts.get(login.id)) {
    if (standing === null) {
      if (await wasRemoved(deps, login.id)) return
      if (!opens(deps, login.id, login.sealedCredential, counts)) return
      if (await isInserted(deps, { ...login, outbox: firstNews(login, audit) })) {
        counts.connected++
        return relayAccount(deps, login.id)
      }
      if ((await deps.store.accounts.get(login.id)) !== null) continue
      counts.taken++
      return
    }
    if (standing.status === 'removing' || standing.generation >= login.generation) return
    // The same login, noted after it was refreshed: its refreshes are restored by themselves.
    if (standing.connectId === login.connectId) return
    if (!opens(deps, login.id, login.sealedCredential, counts)) return
    if (await writeAndRelay(deps, restoreLogin(standing, login, audit))) {
      counts.connected++
      return
    }
  }
}

async function bringUpToDate(
  deps: EngineDeps,
  result: RefreshResult,
  read: Account | null,
  counts: Counts,
): Promise<void> {
  const { accountId, connectId, generation, sealed } = result
  for (let standing = read; ; standing = await deps.store.accounts.get(accountId)) {
    if (standing === null ? await wasRemoved(deps, accountId) : standing.status === 'removing') return
    if (standing !== null && standing.generation > generation) return
    if (standing?.connectId !== connectId) {
      counts.unknown++
      return
    }
    if (!opens(deps, accountId, sealed, counts)) return
    if (await writeAndRelay(deps, restore(standing, result, deps.clock.now()))) {
      counts.refreshed++
      return
    }
  }
}

/** What does not open replaces nothing that may. */
function opens({ sealer, logger }: EngineDeps, accountId: string, sealed: string, counts: Counts): boolean {
  try {
    openCredential(sealer, accountId, sealed)
    return true
  } catch (error) {
    counts.unopened++
    logger.error({ accountId, code: toCodedError(error).code }, 'credential in the journal cannot be opened')
    return false
  }
}

/** False if the id or the login is taken. */
async function isInserted({ store }: EngineDeps, account: Account): Promise<boolean> {
  try {
    await store.accounts.insert(account)
    return true
  } catch (error) {
    if (hasCode(error, 'ACCOUNT_EXISTS')) return false
    throw error
  }
}

async function* batches(files: readonly JournalFile[]): AsyncGenerator<(JournalRecord | null)[]> {
  let batch: (JournalRecord | null)[] = []
  for (const file of files) {
    for await (const record of readJournalFile(file)) {
      batch.push(record)
      if (batch.length < BATCH) continue
      yield batch
      batch = []
    }
  }
  if (batch.length > 0) yield batch
}

function ofKind<K extends Kind>(batch: readonly (JournalRecord | null)[], kind: K): RecordOf<K>[] {
  return batch.filter((record): record is RecordOf<K> => record?.kind === kind)
}

/** Of several with one key the one of the highest generation: two writes on one document would only meet. */
function newestOf<T extends { readonly generation: number }>(items: readonly T[], keyOf: (item: T) => string): T[] {
  const newest = new Map<string, T>()
  for (const item of items) {
    const other = newest.get(keyOf(item))
    if (!other || other.generation < item.generation) newest.set(keyOf(item), item)
  }
  return [...newest.values()]
}

/** Each with the account as it stands, read at once. */
async function withStanding<T>(
  { store }: EngineDeps,
  items: readonly T[],
  idOf: (item: T) => string,
  action: (item: T, standing: Account | null) => Promise<void>,
): Promise<void> {
  const accounts = await store.accounts.getMany([...new Set(items.map(idOf))])
  const standing = new Map(accounts.map((account) => [account.id, account]))
  await Promise.all(items.map((item) => action(item, standing.get(idOf(item)) ?? null)))
}
