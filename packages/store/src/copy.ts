import { isDeepStrictEqual } from 'node:util'
import { type Account, hasCode, type OutboxItem } from '@tokenkeeper/core'
import type { PageStore, Run, Store } from './store.ts'

export const COPIED_KINDS = ['accounts', 'log', 'events', 'audit', 'runs', 'apiKeys'] as const
export type CopiedKind = (typeof COPIED_KINDS)[number]

/** Of one kind: how many were read, and what was done with each. */
export interface CopyCounts {
  readonly read: number
  /** There already, and the same. */
  readonly same: number
  /** Written, read back and found the same. */
  readonly copied: number
  /** Left as they are in the target: not the same. */
  readonly different: number
}

export interface CopyDifference {
  readonly kind: CopiedKind
  readonly id: string
  /** `newer`: of a newer generation in the target. `only_in_target`: an account that the source does not have. */
  readonly reason: 'newer' | 'different' | 'only_in_target'
}

export interface CopySummary {
  readonly kinds: Readonly<Record<CopiedKind, CopyCounts>>
  /** The first {@link MAX_SHOWN} of them. */
  readonly differences: readonly CopyDifference[]
}

export interface CopyOptions {
  /** Called after each page with what was done so far. */
  readonly onPage?: (kind: CopiedKind, counts: CopyCounts) => void
  readonly pageSize?: number
}

const PAGE_SIZE = 500
const MAX_SHOWN = 20

interface Copier<T> extends PageStore<T> {
  readonly kind: CopiedKind
  readonly target: Pick<PageStore<T>, 'getMany'>
  /** Writes what is missing or differs; may leave what must not be overwritten. `there`: what stands in the target. */
  write(entities: readonly T[], there: ReadonlyMap<string, T>): Promise<unknown>
  isNewer?(there: T, entity: T): boolean
}

/**
 * Copies everything from one store to another and reads it back, a page at a time. What is the same already is skipped,
 * so a copy that was cut off is continued by doing it again; what changed in the source since is brought up to date.
 * A newer generation in the target is never overwritten. Both should be at rest. Rejects as the stores do.
 */
export async function copyStore(from: Store, to: Store, options: CopyOptions = {}): Promise<CopySummary> {
  const differences: CopyDifference[] = []
  const differ = (difference: CopyDifference) => {
    if (differences.length < MAX_SHOWN) differences.push(difference)
  }
  const copy = <T extends { readonly id: string }>(copier: Copier<T>) => copyKind(copier, differ, options)

  const accounts = await copy<Account>({
    kind: 'accounts',
    page: (query) => from.accounts.list(query),
    getMany: from.accounts.getMany,
    target: to.accounts,
    isNewer: (there, account) => there.generation > account.generation,
    write: (missing, there) =>
      Promise.all(missing.map((account) => writeAccount(to, account, there.get(account.id) ?? null))),
  })
  const onlyInTarget = await countOnlyInTarget(from, to, differ, options.pageSize ?? PAGE_SIZE)
  const { log, events, audit, runs, apiKeys } = to
  return {
    kinds: {
      accounts: { ...accounts, different: accounts.different + onlyInTarget },
      log: await copy({ kind: 'log', ...pagesOf(from.log), target: log, write: log.put }),
      events: await copy({ kind: 'events', ...pagesOf(from.events), target: events, write: events.insert }),
      audit: await copy({ kind: 'audit', ...pagesOf(from.audit), target: audit, write: audit.insert }),
      runs: await copy({
        kind: 'runs',
        ...pagesOf(from.runs),
        target: runs,
        write: (missing, there) => Promise.all(missing.map((run) => writeRun(to, run, there.get(run.id) ?? null))),
      }),
      apiKeys: await copy({
        kind: 'apiKeys',
        ...apiKeysOf(from),
        target: apiKeysOf(to),
        write: (missing, there) =>
          Promise.all(
            missing.map(async (key) => {
              if (!there.has(key.id)) await apiKeys.insert(key)
              else if (key.revokedAt !== null) await apiKeys.revoke(key.id, key.revokedAt)
            }),
          ),
      }),
    },
    differences,
  }
}

async function copyKind<T extends { readonly id: string }>(
  { kind, page, target, write, isNewer }: Copier<T>,
  differ: (difference: CopyDifference) => void,
  { pageSize = PAGE_SIZE, onPage }: CopyOptions,
): Promise<CopyCounts> {
  const counts = { read: 0, same: 0, copied: 0, different: 0 }
  for (let afterId: string | null = null; ; ) {
    const entities: T[] = await page({ afterId, limit: pageSize })
    if (entities.length === 0) return counts
    const there = await readMany(target, entities)
    const missing = entities.filter((entity) => !isDeepStrictEqual(there.get(entity.id), entity))
    const wanted = missing.filter((entity) => !(there.has(entity.id) && isNewer?.(there.get(entity.id)!, entity)))
    if (wanted.length > 0) await write(wanted, there)
    const written = missing.length > 0 ? await readMany(target, missing) : there
    for (const entity of missing) {
      const { id } = entity
      const stands = written.get(id)
      if (isDeepStrictEqual(stands, entity)) counts.copied++
      else {
        counts.different++
        differ({ kind, id, reason: stands && isNewer?.(stands, entity) ? 'newer' : 'different' })
      }
    }
    counts.read += entities.length
    counts.same += entities.length - missing.length
    onPage?.(kind, { ...counts })
    afterId = entities.at(-1)!.id
  }
}

async function readMany<T extends { readonly id: string }>(
  store: Pick<PageStore<T>, 'getMany'>,
  entities: readonly T[],
): Promise<Map<string, T>> {
  const found = await store.getMany(entities.map(({ id }) => id))
  return new Map(found.map((entity) => [entity.id, entity]))
}

function pagesOf<T>({ page, getMany }: PageStore<T>): PageStore<T> {
  return { page, getMany }
}

/** There are few. */
function apiKeysOf({ apiKeys }: Store): PageStore<Awaited<ReturnType<typeof apiKeys.list>>[number]> {
  return {
    page: async ({ afterId }) => (afterId === null ? apiKeys.list() : []),
    getMany: async (ids) => (await apiKeys.list()).filter(({ id }) => ids.includes(id)),
  }
}

/** One compare-and-set on what was read there, so that whoever works on the target meanwhile loses nothing. */
async function writeAccount({ accounts }: Store, account: Account, there: Account | null): Promise<void> {
  if (there === null) {
    // Another account may have this login.
    return accounts.insert(account).catch((error) => {
      if (!hasCode(error, 'ACCOUNT_EXISTS')) throw error
    })
  }
  const isSameCredential = account.sealedCredential === there.sealedCredential && account.connectId === there.connectId
  if (account.generation === there.generation && !isSameCredential) return
  const { id, ownerId: _o, platform: _p, providerAppId: _a, externalId: _e, status, outbox, ...set } = account
  const done = await accounts.write({
    name: 'copy',
    accountId: id,
    when: {
      generation: there.generation,
      sealedCredential: there.sealedCredential,
      connectId: there.connectId,
      attemptId: there.attempt?.id ?? null,
    },
    change: { set, status: { [there.status]: status }, tell: notIn(outbox, there.outbox) },
  })
  const relayed = notIn(there.outbox, outbox).map((item) => item.id)
  if (done && relayed.length > 0) await accounts.pull(id, relayed)
}

function notIn(items: readonly OutboxItem[], others: readonly OutboxItem[]): OutboxItem[] {
  const ids = new Set(others.map((other) => other.id))
  return items.filter((item) => !ids.has(item.id))
}

/** A run only goes forward. */
async function writeRun({ runs }: Store, run: Run, there: Run | null): Promise<void> {
  if (there === null) await runs.insert(run)
  else if (there.finishedAt === null && (there.cursor ?? '') <= (run.cursor ?? '')) {
    await runs.advance(run.id, there.cursor, run)
  }
}

/** Accounts that were removed from the source since an earlier copy would live on in the target. */
async function countOnlyInTarget(
  from: Store,
  to: Store,
  differ: (difference: CopyDifference) => void,
  limit: number,
): Promise<number> {
  let count = 0
  for (let afterId: string | null = null; ; ) {
    const page: Account[] = await to.accounts.list({ afterId, limit })
    if (page.length === 0) return count
    const known = await readMany(from.accounts, page)
    for (const { id } of page) {
      if (known.has(id)) continue
      count++
      differ({ kind: 'accounts', id, reason: 'only_in_target' })
    }
    afterId = page.at(-1)!.id
  }
}
