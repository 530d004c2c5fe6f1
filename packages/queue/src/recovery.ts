import { hasCode, PLATFORMS } from '@tokenkeeper/core'
import type { WorkerDeps } from './deps.ts'
import { enqueueRefresh } from './enqueue.ts'
import { loop } from './loop.ts'

const PAGE = 500
/** The index on due times serves the rare status too. */
const FOREVER = Number.MAX_SAFE_INTEGER
/** How many accounts a process recovers by itself while Redis is away. */
const ALONE_AT_ONCE = 5

type RecoveryDeps = Pick<WorkerDeps, 'store' | 'queues' | 'engine' | 'clock' | 'logger' | 'settings'>

/** Finishes what a death or an outage left half done. Every worker runs this; all of it may be done twice. */
export async function runRecovery(deps: RecoveryDeps, signal: AbortSignal): Promise<void> {
  const { clock, logger, settings } = deps
  const every = (name: string, ms: number, round: () => Promise<number>) =>
    loop({ name, round, afterErrorMs: ms, clock, logger, signal })
  await Promise.all([
    every('stale-attempts', settings.staleScanMs, () => recoverStale(deps, signal)),
    every('leftovers', settings.relayEveryMs, () => finishLeftovers(deps, signal)),
    every('orphan-pages', settings.relayEveryMs, walkPages(deps)),
    every('spools', settings.replayAgainMs, () => replay(deps)),
    every('halts', settings.haltProbeEveryMs, () => probeHalts(deps)),
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

/** What writes told but nobody copied, and removals that were not finished. */
async function finishLeftovers(deps: RecoveryDeps, signal: AbortSignal): Promise<number> {
  const { store, engine, logger, settings } = deps
  const orLog = (work: Promise<void>, accountId: string) =>
    work.catch((error: unknown) => {
      // One account that cannot be finished must not keep the others from it.
      if (hasCode(error, 'STORE_UNAVAILABLE')) throw error
      logger.error({ accountId, err: error }, 'could not finish what was left over')
    })
  let afterId: string | null = null
  while (!signal.aborted) {
    const ids: string[] = await store.accounts.withOutbox({ afterId, limit: PAGE })
    await eachOf(ids, 1, signal, (id) => orLog(engine.relayAccount(id), id))
    if (ids.length < PAGE) break
    afterId = ids.at(-1)!
  }
  for (const platform of PLATFORMS) {
    const removing = await store.accounts.due({
      platform,
      statusIn: ['removing'],
      before: FOREVER,
      after: null,
      limit: PAGE,
    })
    await eachOf(removing, 1, signal, ({ id }) => orLog(engine.removeAccount(id, 'recovery'), id))
  }
  return settings.relayEveryMs
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

async function eachOf<T>(
  items: readonly T[],
  atOnce: number,
  signal: AbortSignal,
  action: (item: T) => Promise<unknown>,
): Promise<void> {
  const rest = items.values()
  const lane = async () => {
    for (const item of rest) {
      if (signal.aborted) return
      await action(item)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
}
