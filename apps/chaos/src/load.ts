import type { AppContext } from '@tokenkeeper/context'
import { DAY } from '@tokenkeeper/core'
import { enqueueRefresh, startRun } from '@tokenkeeper/queue'
import { type FaultHandle, until } from '@tokenkeeper/testkit'
import type { Random } from './random.ts'
import type { Arena } from './world/arena.ts'

export const REFRESH = '/xrpc/com.atproto.server.refreshSession'
/** Sessions fall due a week after their last refresh at the latest, and an occurrence of the weekly schedule is missed. */
export const WEEK = 7 * DAY

/** Asks for a refresh of everything, until that is taken. */
export async function refreshAll({ askForAll, random }: Arena): Promise<void> {
  const ask = random.fork()
  await until(() => askForAll(ask).then(() => true), {
    what: 'a refresh of all accounts to be asked for',
    timeoutMs: 120_000,
    everyMs: 500,
  })
}

/** In one of the ways that operators have. */
export async function askFleetForAll(context: AppContext, random: Random): Promise<void> {
  const { store, makeId } = context
  const deps = await context.connectRedis()
  if (random.chance(0.7)) {
    await startRun(deps, { scheduleId: 'chaos', occurrence: makeId(), filter: {}, requestedBy: 'chaos' })
  } else {
    const accounts = await store.accounts.list({ afterId: null, limit: 10_000 })
    await enqueueRefresh(deps.queues.refresh, accounts, { type: 'manual', force: true, clock: deps.clock })
  }
}

/** Has the answers to refreshes held back, all or the next `times`, so that attempts pile up in flight. */
export function holdAnswers(
  { proxy }: Pick<Arena, 'proxy' | 'clockFile'>,
  times = Number.POSITIVE_INFINITY,
): FaultHandle {
  return proxy.fault({ kind: 'hold', times, match: ({ path }) => path === REFRESH })
}

/** Resolves when so many attempts are in flight, or when no more come. */
export async function pileUp(held: FaultHandle, count: number): Promise<void> {
  const PATIENCE_MS = 10_000
  const QUIET_MS = 1_500
  const from = performance.now()
  let last = { hits: -1, at: from }
  await until(
    () => {
      const now = performance.now()
      if (held.hits !== last.hits) last = { hits: held.hits, at: now }
      return held.hits >= count || (held.hits > 0 && now - last.at > QUIET_MS) || now - from > PATIENCE_MS
    },
    { what: 'attempts to be in flight' },
  )
}
