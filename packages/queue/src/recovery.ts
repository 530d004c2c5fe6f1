import { HOUR, hasCode } from '@tokenkeeper/core'
import type { WorkerDeps } from './deps.ts'
import { eachOf } from './each-of.ts'
import { enqueueRefresh } from './enqueue.ts'
import { finishLeftovers } from './leftovers.ts'
import { loop } from './loop.ts'

const PAGE = 500
/** How many accounts a process recovers by itself while Redis is away. */
const ALONE_AT_ONCE = 5
const PRUNE_JOURNAL_EVERY_MS = HOUR

type RecoveryDeps = Pick<WorkerDeps, 'store' | 'queues' | 'engine' | 'clock' | 'logger' | 'settings'>

/** Finishes what a death or an outage left half done. Every worker runs this; all of it may be done twice. */
export async function runRecovery(deps: RecoveryDeps, signal: AbortSignal): Promise<void> {
  const { clock, logger, settings } = deps
  const every = (name: string, ms: number, round: () => Promise<number>) =>
    loop({ name, round, afterErrorMs: ms, clock, logger, signal })
  await Promise.all([
    every('stale-attempts', settings.staleScanMs, () => recoverStale(deps, signal)),
    every('leftovers', settings.relayEveryMs, () => leftovers(deps, signal)),
    every('orphan-pages', settings.relayEveryMs, walkPages(deps)),
    every('spools', settings.replayAgainMs, () => replay(deps)),
    every('halts', settings.haltProbeEveryMs, () => probeHalts(deps)),
    every('journal', PRUNE_JOURNAL_EVERY_MS, () => pruneJournal(deps)),
  ])
}

/** Attempts whose owner is gone, or whose outcome is unknown, come before everything else. */
async function recoverStale(deps: RecoveryDeps, signal: AbortSignal): Promise<number> {
  const { store, queues, engine, clock, settings } = deps
  const stale = await store.accounts.stale({ now: clock.now(), limit: PAGE })
  try {
    await enqueueRefresh(queues.refreshNow, stale, { type: 'scheduled', first: true, clock })
  } catch (error) {
    if (!hasCode(error, 'REDIS_UNAVAILABLE')) throw error
    // The grace of a session does not wait for Redis.
    const recover = (id: string) => engine.refreshAccount(id, { type: 'scheduled' })
    await eachOf(stale, ALONE_AT_ONCE, signal, ({ id }) => recover(id))
  }
  return settings.staleScanMs
}

async function leftovers(deps: RecoveryDeps, signal: AbortSignal): Promise<number> {
  await finishLeftovers(deps, signal)
  return deps.settings.relayEveryMs
}

/** Looks at some Pages each time, whose accounts may be gone; at the end it begins anew. */
function walkPages({ engine, settings }: RecoveryDeps): () => Promise<number> {
  let afterId: string | null = null
  return async () => {
    afterId = await engine.removeOrphanPages(afterId)
    return settings.relayEveryMs
  }
}

/** Comes back soon while there is something to deliver, or nowhere to deliver it. */
async function replay({ store, engine, settings }: RecoveryDeps): Promise<number> {
  const landed = await engine.replaySpools()
  await store.ping()
  return landed > 0 ? settings.replayAgainMs : settings.replayEveryMs
}

/** Needs no account to be due: what fell due meanwhile waits for the end of the halt. */
async function probeHalts({ engine, settings }: RecoveryDeps): Promise<number> {
  await engine.probeHalts()
  return settings.haltProbeEveryMs
}

/** Each machine has its own, and each of its workers sees to that. */
async function pruneJournal({ engine }: RecoveryDeps): Promise<number> {
  await engine.pruneJournal()
  return PRUNE_JOURNAL_EVERY_MS
}
