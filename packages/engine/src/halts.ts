import {
  type Account,
  DAY,
  type Halt,
  type HaltVerdict,
  HOUR,
  haltIdOf,
  MINUTE,
  type SnoozeVerdict,
} from '@tokenkeeper/core'
import type { EngineDeps } from './deps.ts'

/** Our app at a platform. Where the platform knows no apps (`providerAppId` is empty), there are no halts. */
type App = Pick<Account, 'platform' | 'providerAppId'>

type HaltDeps = Pick<EngineDeps, 'store' | 'clock' | 'logger'>

/** How often one request may find out whether a halt is over (ms). */
export const PROBE_EVERY_MS = 15 * MINUTE
/** Refusals that may be the fault of single accounts mean the app if so many accounts meet them within this time (ms). */
const SUSPECTS = 3
const SUSPICION_MS = 15 * MINUTE
/** Requests that were under way together are refused one by one; such a refusal moves no probe. */
const UNDER_WAY_MS = MINUTE
/** A provider asks for a day at most; beyond that some machine's clock was wrong. */
const LONGEST_WAIT_MS = DAY + HOUR
/** How long a halt waits for a probe that only an account can make. */
const FORGOTTEN_MS = DAY

/**
 * The halt that stops a request for an account; null if there is none, or it is but suspected. Where it is our proofs
 * that are refused, only what carries one is stopped (`withProof`): a listing of Pages does, a refresh does not. Rejects
 * as the store does.
 */
export async function standingHalt(
  { store }: Pick<HaltDeps, 'store'>,
  app: App,
  { withProof = false }: { readonly withProof?: boolean } = {},
): Promise<Halt | null> {
  if (app.providerAppId === '') return null
  const halt = await store.halts.get(haltIdOf(app.platform, app.providerAppId))
  return halt?.state === 'halted' && (withProof || !isOfProofs(halt)) ? halt : null
}

export function isProbeDue({ probeAt }: Halt, now: number): boolean {
  return now >= probeAt || probeAt - now > LONGEST_WAIT_MS
}

/** When whoever a halt keeps waiting looks again (ms): soon even if it lasts for long, since a person may end it. */
export function comeBackAt({ probeAt }: Halt, now: number): number {
  const latest = now + PROBE_EVERY_MS
  return probeAt > now ? Math.min(probeAt, latest) : latest
}

/** The app is known and accepted, but has asked too much. */
export function isLimit({ code }: Pick<Halt, 'code'>): boolean {
  return code === 'PROVIDER_RATE_LIMITED'
}

/** Our secret is accepted, but not what we prove with it, for which a wrong clock is enough. */
export function isOfProofs({ code }: Pick<Halt, 'code'>): boolean {
  return code === 'META_PROOF_REFUSED'
}

/** Too old to count for anything: the next one begins anew. */
export function isLapsed({ state, since }: Halt, now: number): boolean {
  return state === 'suspected' && Math.abs(now - since) >= SUSPICION_MS
}

/** Whoever was due since would have probed it, but nobody was: the next request that is refused makes it anew. */
export function isForgotten({ probeAt }: Halt, now: number): boolean {
  return now - probeAt >= FORGOTTEN_MS
}

/**
 * Notes, for the whole fleet, that the app was refused or told to wait, and returns what stands then. Null if there are
 * no halts for it, or if it could not be noted: never rejects. `accountId`: whose request was refused.
 */
export async function noteRefusal(
  deps: HaltDeps,
  app: App,
  verdict: HaltVerdict | SnoozeVerdict,
  accountId: string | null,
): Promise<Halt | null> {
  if (app.providerAppId === '') return null
  const now = deps.clock.now()
  const { code } = verdict
  const suspects = accountId === null ? [] : [accountId]
  const { platform, providerAppId } = app
  const fresh: Halt = {
    id: haltIdOf(platform, providerAppId),
    platform,
    providerAppId,
    state: 'halted',
    code,
    suspects,
    since: now,
    probeAt: verdict.kind === 'snooze' ? verdict.until : now + PROBE_EVERY_MS,
  }
  const isSuspicion = verdict.kind === 'halt' && verdict.suspect === 'token'
  try {
    return await change(deps, fresh.id, (standing) => (isSuspicion ? suspect : raise)(standing, fresh))
  } catch (error) {
    deps.logger.error({ platform, code, err: error }, 'that our app was refused could not be noted')
    return null
  }
}

/** A halt stands from now on. One that stands already learns of a reason that stops more, or of a longer wait. */
function raise(standing: Halt | null, fresh: Halt): Halt {
  if (standing?.state !== 'halted') return fresh
  const code = isLimit(fresh) && !isOfProofs(standing) ? standing.code : fresh.code
  const probeAt = fresh.probeAt > standing.probeAt + UNDER_WAY_MS ? fresh.probeAt : standing.probeAt
  return code === standing.code && probeAt === standing.probeAt ? standing : { ...standing, code, probeAt }
}

function suspect(standing: Halt | null, fresh: Halt): Halt {
  if (standing === null || isLapsed(standing, fresh.since)) return { ...fresh, state: 'suspected' }
  if (standing.state === 'halted') return standing
  const suspects = [...new Set([...standing.suspects, ...fresh.suspects])]
  if (suspects.length === standing.suspects.length) return standing
  const state = suspects.length < SUSPECTS ? 'suspected' : 'halted'
  return { ...fresh, state, suspects, since: standing.since }
}

/** Others note theirs at the same time: reads again until the own change, or theirs, leaves nothing to change. */
async function change(deps: HaltDeps, id: string, next: (standing: Halt | null) => Halt): Promise<Halt> {
  const { halts } = deps.store
  for (;;) {
    const standing = await halts.get(id)
    const wanted = next(standing)
    if (wanted === standing) return standing
    const isDone = standing === null ? await halts.insert(wanted) : await halts.update(standing, wanted)
    if (!isDone) continue
    tell(deps, standing, wanted)
    return wanted
  }
}

function tell({ logger }: HaltDeps, before: Halt | null, halt: Halt): void {
  const { platform, providerAppId, code, state, probeAt } = halt
  const fields = { platform, providerAppId, code, probeAt: new Date(probeAt).toISOString() }
  if (state === 'suspected') logger.warn(fields, `${platform}: our app may be refused`)
  else if (before?.state === 'halted' && before.code === code)
    logger.debug(fields, `${platform}: the halt lasts longer`)
  else if (isLimit(halt)) logger.warn(fields, `${platform} halted: our app has asked too much`)
  else logger.error(fields, `${platform} halted: our app is refused`)
}
