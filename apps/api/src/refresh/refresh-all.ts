import { CodedError, type Platform } from '@tokenkeeper/core'
import { enqueueRun, insertRun } from '@tokenkeeper/queue'
import type { Run } from '@tokenkeeper/store'
import { audit } from '../audit.ts'
import { actorOf, type Principal } from '../auth/principal.ts'
import type { ApiDeps } from '../deps.ts'

/**
 * Starts a refresh-all of every active account (of a platform), or returns the one with the same filter that is not
 * finished. Rejects with PROVIDER_OFF, STORE_UNAVAILABLE or REDIS_UNAVAILABLE; the scheduler enqueues what stands then.
 */
export async function refreshAll(deps: ApiDeps, platform: Platform | undefined, principal: Principal): Promise<Run> {
  if (platform !== undefined && !deps.platforms.includes(platform)) throw new CodedError('PROVIDER_OFF')
  await deps.redis.check()
  const run = await findOrInsertRun(deps, platform, principal)
  await deps.redis.use((producer) => enqueueRun(producer, run.id))
  return run
}

/**
 * Each run is named after the one before it, so that of several requests at once, also to several processes, one makes
 * the run and the others find it. What those have recorded names a run that never came to be; so they record this too.
 */
async function findOrInsertRun(deps: ApiDeps, platform: Platform | undefined, principal: Principal): Promise<Run> {
  const { store, makeId } = deps
  const id = makeId()
  const scheduleId = `manual:${platform ?? 'all'}`
  const filter = platform === undefined ? {} : { platforms: [platform] }
  const record = (runId: string) => audit(deps, principal, 'run.requested', { detail: runId })
  let run = await store.runs.latest(scheduleId)
  if (run === null || run.finishedAt !== null) await record(id)
  while (run === null || run.finishedAt !== null) {
    const occurrence = run?.id ?? 'first'
    run = await insertRun(deps, { id, scheduleId, occurrence, filter, requestedBy: actorOf(principal) })
    if (run.id === id) return run
  }
  await record(run.id)
  return run
}
