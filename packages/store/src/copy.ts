import { isDeepStrictEqual } from 'node:util'
import type { Account, ApiKey, Halt, Page } from '@tokenkeeper/core'
import {
  isListedLater,
  writeAccount,
  writeApiKey,
  writeHalt,
  writePages,
  writeRun,
  writeSchedule,
} from './copy-writes.ts'
import type { Scannable, Schedule, Store } from './store.ts'

export const COPIED_KINDS = [
  'accounts',
  'pages',
  'halts',
  'log',
  'events',
  'audit',
  'runs',
  'schedules',
  'apiKeys',
] as const
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
  /**
   * `newer`: of a newer generation in the target. `only_in_target`: the source does not have it, any more perhaps.
   * `changed`: in the source, after it was copied: the source is in use.
   */
  readonly reason: 'newer' | 'different' | 'only_in_target' | 'changed'
}

export interface CopySummary {
  readonly kinds: Readonly<Record<CopiedKind, CopyCounts>>
  /** The first {@link MAX_SHOWN} of them. */
  readonly differences: readonly CopyDifference[]
  /** How many there are of each reason. */
  readonly reasons: Readonly<Record<CopyDifference['reason'], number>>
}

export interface CopyOptions {
  /** Called after each batch with what was done so far. */
  readonly onBatch?: (kind: CopiedKind, counts: CopyCounts) => void
  readonly batchSize?: number
}

const BATCH_SIZE = 500
const MAX_SHOWN = 20

interface Entity {
  readonly id: string
}

interface CopyRules<T> {
  /** Writes what is missing or differs; may leave what must not be overwritten. `there`: what stands in the target. */
  write(entities: readonly T[], there: ReadonlyMap<string, T>): Promise<unknown>
  isNewer?(there: T, entity: T): boolean
  /** What was removed from the source since an earlier copy would live on in the target: it is told. */
  readonly tellsOnlyInTarget?: boolean
}

interface Copier<T> extends CopyRules<T> {
  readonly kind: CopiedKind
  readonly from: Scannable<T>
  readonly to: Scannable<T>
}

/**
 * Copies everything from one store to another and reads it back, batch by batch. What is the same already is skipped,
 * so a copy that was cut off is continued by doing it again; what changed in the source since is brought up to date.
 * A newer generation in the target is never overwritten. Both should be at rest: an account that changes meanwhile is told. Rejects as the stores do.
 */
export async function copyStore(from: Store, to: Store, options: CopyOptions = {}): Promise<CopySummary> {
  const differences: CopyDifference[] = []
  const differing = new Set<string>()
  const reasons = { newer: 0, different: 0, only_in_target: 0, changed: 0 }
  const differ = (difference: CopyDifference) => {
    reasons[difference.reason]++
    if (difference.kind === 'accounts') differing.add(difference.id)
    if (differences.length < MAX_SHOWN) differences.push(difference)
  }
  const copy = <T extends Entity>(kind: CopiedKind, of: (store: Store) => Scannable<T>, rules: CopyRules<T>) =>
    copyKind({ kind, from: of(from), to: of(to), ...rules }, differ, options)
  const kinds = {
    accounts: await copy('accounts', accountsOf, {
      write: oneByOne((account, there) => writeAccount(to, account, there)),
      isNewer: (there, account) => there.generation > account.generation,
      tellsOnlyInTarget: true,
    }),
    pages: await copy<Page>('pages', ({ pages }) => pages, {
      write: (pages, there) => writePages(to, pages, there),
      isNewer: isListedLater,
      tellsOnlyInTarget: true,
    }),
    halts: await copy('halts', haltsOf, {
      write: oneByOne((halt, there) => writeHalt(to, halt, there)),
      tellsOnlyInTarget: true,
    }),
    log: await copy('log', ({ log }) => log, { write: to.log.put }),
    events: await copy('events', ({ events }) => events, { write: to.events.insert }),
    audit: await copy('audit', ({ audit }) => audit, { write: to.audit.insert }),
    runs: await copy('runs', ({ runs }) => runs, { write: oneByOne((run, there) => writeRun(to, run, there)) }),
    schedules: await copy('schedules', schedulesOf, {
      write: oneByOne((schedule, there) => writeSchedule(to, schedule, there)),
      tellsOnlyInTarget: true,
    }),
    apiKeys: await copy('apiKeys', apiKeysOf, { write: oneByOne((key, there) => writeApiKey(to, key, there)) }),
  }
  const changed = await changedSince(from, to, differing, options)
  for (const id of changed) differ({ kind: 'accounts', id, reason: 'changed' })
  const accounts = { ...kinds.accounts, different: kinds.accounts.different + changed.length }
  return { kinds: { ...kinds, accounts }, differences, reasons }
}

/** A session that was refreshed after its copy was read is worth nothing there: a source in use must not pass for copied. */
async function changedSince(
  from: Store,
  to: Store,
  known: ReadonlySet<string>,
  { batchSize = BATCH_SIZE }: CopyOptions,
): Promise<string[]> {
  const changed: string[] = []
  for await (const accounts of batchesOf(accountsOf(from), batchSize)) {
    const there = await readMany(accountsOf(to), accounts)
    const differ = accounts.filter((account) => !isDeepStrictEqual(there.get(account.id), account))
    changed.push(...differ.map(({ id }) => id).filter((id) => !known.has(id)))
  }
  return changed
}

async function copyKind<T extends Entity>(
  copier: Copier<T>,
  differ: (difference: CopyDifference) => void,
  { batchSize = BATCH_SIZE, onBatch }: CopyOptions,
): Promise<CopyCounts> {
  const { kind, from, to, write, isNewer, tellsOnlyInTarget } = copier
  const counts = { read: 0, same: 0, copied: 0, different: 0 }
  for await (const entities of batchesOf(from, batchSize)) {
    const there = await readMany(to, entities)
    const missing = entities.filter((entity) => !isDeepStrictEqual(there.get(entity.id), entity))
    const wanted = missing.filter((entity) => !(there.has(entity.id) && isNewer?.(there.get(entity.id)!, entity)))
    if (wanted.length > 0) await write(wanted, there)
    const written = missing.length > 0 ? await readMany(to, missing) : there
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
    onBatch?.(kind, { ...counts })
  }
  if (!tellsOnlyInTarget) return counts
  for await (const entities of batchesOf(to, batchSize)) {
    const known = await readMany(from, entities)
    for (const { id } of entities.filter((entity) => !known.has(entity.id))) {
      counts.different++
      differ({ kind, id, reason: 'only_in_target' })
    }
  }
  return counts
}

async function* batchesOf<T extends Entity>(store: Scannable<T>, limit: number): AsyncGenerator<T[]> {
  for (let afterId: string | null = null; ; ) {
    const entities: T[] = await store.scan({ afterId, limit })
    if (entities.length === 0) return
    yield entities
    afterId = entities.at(-1)!.id
  }
}

async function readMany<T extends Entity>(store: Scannable<T>, entities: readonly T[]): Promise<Map<string, T>> {
  const found = await store.getMany(entities.map(({ id }) => id))
  return new Map(found.map((entity) => [entity.id, entity]))
}

function oneByOne<T extends Entity>(writeOne: (entity: T, there: T | null) => Promise<unknown>): CopyRules<T>['write'] {
  return (entities, there) => Promise.all(entities.map((entity) => writeOne(entity, there.get(entity.id) ?? null)))
}

function accountsOf({ accounts }: Store): Scannable<Account> {
  return { scan: (query) => accounts.list(query), getMany: accounts.getMany }
}

function haltsOf({ halts }: Store): Scannable<Halt> {
  return few(halts.list)
}

function schedulesOf({ schedules }: Store): Scannable<Schedule> {
  return few(schedules.list)
}

function apiKeysOf({ apiKeys }: Store): Scannable<ApiKey> {
  return few(apiKeys.list)
}

function few<T extends Entity>(list: () => Promise<T[]>): Scannable<T> {
  return {
    scan: async ({ afterId }) => (afterId === null ? list() : []),
    getMany: async (ids) => (await list()).filter(({ id }) => ids.includes(id)),
  }
}
