import { CodedError, type Platform } from '@tokenkeeper/core'
import { startRun } from '@tokenkeeper/queue'
import type { Run } from '@tokenkeeper/store'
import { audit } from '../audit.ts'
import { actorOf, type Principal } from '../auth/principal.ts'
import type { ApiDeps } from '../deps.ts'

/**
 * Starts a refresh-all of every active account (of a platform), or returns the one with the same filter that is not
 * finished. Rejects with PROVIDER_OFF or REDIS_UNAVAILABLE.
 *
 * Each run is named after the one before it, so that of several requests at once, also to several processes, one makes
 * the run and the others find it.
 */
export async function refreshAll(deps: ApiDeps, platform: Platform | undefined, principal: Principal): Promise<Run> {
  if (platform !== undefined && !deps.platforms.includes(platform)) throw new CodedError('PROVIDER_OFF')
  await deps.redis.check()
  const scheduleId = `manual:${platform ?? 'all'}`
  const filter = platform === undefined ? {} : { platform }
  const latest = await deps.store.runs.latest(scheduleId)
  let occurrence = latest === null ? 'first' : latest.finishedAt === null ? latest.occurrence : latest.id
  for (;;) {
    const request = { scheduleId, occurrence, filter, requestedBy: actorOf(principal) }
    const run = await deps.redis.use((producer) => startRun(producer, request))
    if (run.finishedAt === null) {
      await audit(deps, principal, 'run.requested', { detail: run.id })
      return run
    }
    occurrence = run.id
  }
}
