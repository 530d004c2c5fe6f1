import { FOREVER, hasCode, PLATFORMS } from '@tokenkeeper/core'
import type { LocalDeps } from './deps.ts'
import { eachOf } from './each-of.ts'

const PAGE = 500

/** What writes told but nobody copied, and removals that were not finished. */
export async function finishLeftovers(
  { store, engine, logger }: Pick<LocalDeps, 'store' | 'engine' | 'logger'>,
  signal: AbortSignal,
): Promise<void> {
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
    // The index on due times serves the rare status too.
    const removing = await store.accounts.due({
      platform,
      statusIn: ['removing'],
      before: FOREVER,
      after: null,
      limit: PAGE,
    })
    await eachOf(removing, 1, signal, ({ id }) => orLog(engine.removeAccount(id, 'recovery'), id))
  }
}
