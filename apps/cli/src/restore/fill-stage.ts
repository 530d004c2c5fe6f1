import { join } from 'node:path'
import { type Config, Secret } from '@tokenkeeper/config'
import type { AppContext } from '@tokenkeeper/context'
import { CodedError } from '@tokenkeeper/core'
import { type JournalCounts, type Spool, spooledKeys } from '@tokenkeeper/engine'
import { countWorkers } from '@tokenkeeper/queue'
import { missingKeys } from '../keys/key-status.ts'
import { openContext } from '../open-context.ts'
import type { Output } from '../output.ts'

export interface Filled {
  readonly accounts: number
  /** Spooled answers that are in, and those that could not be brought in. */
  readonly spooled: number
  readonly stillSpooled: number
  /** Null: not asked for. */
  readonly journal: JournalCounts | null
  readonly missingKeys: readonly string[]
}

interface FillOptions {
  /** Directories of journals; null = none are to be read. */
  readonly journals: readonly string[] | null
  readonly force: boolean
}

/**
 * Brings the staged backup up to date: first what the spools of this machine hold, then the newer generations of the
 * journals. Done again it goes on. Rejects with STORE_IN_USE or KEY_MISSING before anything was done.
 */
export async function fillStage(
  config: Config,
  stage: string,
  { journals, force }: FillOptions,
  output: Output,
): Promise<Filled> {
  const settled = new Set<string>()
  await using context = await openContext({ ...config, store: { url: new Secret(`sqlite:${stage}`) } }, output, {
    spool: (spool) => keepingAll(spool, settled),
  })
  const { store, engine, sealer } = context
  const missing = await missingKeys(store, sealer.keyIds)
  if (!force) {
    await assertNoWorkers(context, output)
    assertKeys(missing)
  }
  output.say('Replaying the spools of this machine …')
  let spooled = await engine.replaySpools()
  const journal = journals && (await replayJournals(context, journals, output))
  // Some were begun on a generation that only the journal knew.
  if (journal) spooled = await engine.replaySpools()
  return {
    accounts: await store.accounts.count({}),
    spooled,
    stillSpooled: (await spooledKeys(join(config.dataDir, 'spool'))).length - settled.size,
    journal,
    missingKeys: await missingKeys(store, sealer.keyIds),
  }
}

/**
 * Nothing is erased before the stage is in its place: a restore may fail yet, or be given up. The first replay of a worker
 * finds in the store what is there, and erases it.
 */
function keepingAll(spool: Spool, settled: Set<string>): Spool {
  const erase = (attemptId: string) => void settled.add(attemptId)
  return {
    ...spool,
    erase,
    *orphans() {
      for (const orphan of spool.orphans()) yield { ...orphan, erase }
    },
  }
}

async function replayJournals({ engine }: AppContext, journals: readonly string[], output: Output) {
  output.say('Reading the journal …')
  using progress = output.progress('Reading the journal')
  return engine.restoreFromJournal(journals, progress.update)
}

/** What Redis knows of; SQLite is asked elsewhere. */
async function assertNoWorkers({ connectRedis, clock }: AppContext, output: Output): Promise<void> {
  let workers: number
  try {
    workers = await countWorkers((await connectRedis()).queues, clock)
  } catch {
    output.say('Redis cannot be asked whether workers are running: make sure that none is.')
    return
  }
  if (workers === 0) return
  throw new CodedError('STORE_IN_USE', {
    publicMessage: `Redis knows ${workers} workers at work. Stop all processes of Tokenkeeper first, on all machines (or --force).`,
  })
}

function assertKeys(missing: readonly string[]): void {
  if (missing.length === 0) return
  throw new CodedError('KEY_MISSING', {
    publicMessage: `The backup needs keys that are not in the ring: ${missing.join(', ')}. Put them into TOKEN_ENCRYPTION_KEYS (or --force: what they sealed is quarantined then).`,
  })
}
