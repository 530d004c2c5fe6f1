import { toCodedError } from '@tokenkeeper/core'
import { openCredential } from './credentials.ts'
import type { EngineDeps } from './deps.ts'
import { commitOnce } from './land.ts'
import { copyAndPull, relayAccount } from './relay.ts'
import type { RefreshResult } from './result.ts'
import { tellAttempt } from './writes/tell.ts'

/**
 * Writes what spools hold: this process's own, and those of dead siblings on this machine. In any order, at any time;
 * the same write as Commit, fenced by the same generation. What the store cannot take now stays spooled. Returns how
 * many answers landed.
 */
export async function replaySpools(deps: EngineDeps): Promise<number> {
  let landed = 0
  for (const result of deps.spool.own()) {
    if (await replay(deps, result, (id) => deps.spool.erase(id))) landed++
  }
  for (const { results, unreadable, erase } of deps.spool.orphans()) {
    // Damaged, or written by a newer version: left where it is, for a person or that version to read.
    for (const record of unreadable) deps.logger.error({ record }, 'spooled answer cannot be read')
    for (const result of results) if (await replay(deps, result, erase)) landed++
  }
  return landed
}

/** True if the answer got into the store. */
async function replay(deps: EngineDeps, result: RefreshResult, erase: (attemptId: string) => void): Promise<boolean> {
  const { accountId, attempt } = result
  try {
    openCredential(deps.sealer, accountId, result.sealed)
  } catch (error) {
    // Set aside where it is: its key may come back, and it blocks no other record.
    deps.logger.error(
      { accountId, attemptId: attempt.id, code: toCodedError(error).code },
      'spooled answer cannot be opened',
    )
    return false
  }
  try {
    await deps.hook('replay.before-write', accountId)
    for (;;) {
      const landing = await commitOnce(deps, result, null)
      if (landing === 'again') continue
      await deps.hook('replay.applied-before-erase', accountId)
      if (landing === 'fenced') await logIfAbsent(deps, result)
      erase(attempt.id)
      deps.logger.info({ accountId, attemptId: attempt.id, landing }, 'spooled answer replayed')
      return landing === 'committed'
    }
  } catch (error) {
    deps.logger.warn({ accountId, attemptId: attempt.id, err: error }, 'spooled answer stays for now')
    return false
  }
}

/** Whoever displaced the attempt has told its end; but for a store that lost that, it is told here. */
async function logIfAbsent(deps: EngineDeps, result: RefreshResult): Promise<void> {
  const { accountId, attempt, generation, oldExpiresAt } = result
  await relayAccount(deps, accountId)
  if (await deps.store.log.get(attempt.id)) return
  const told = tellAttempt({
    accountId,
    attempt,
    outcome: 'interrupted',
    generation,
    at: result.answeredAt,
    oldExpiresAt,
  })
  await copyAndPull(deps, accountId, [told])
}
