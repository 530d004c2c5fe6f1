import { CodedError, type Halt, MINUTE, type Platform, type Verdict } from '@tokenkeeper/core'
import type { Provider } from '@tokenkeeper/providers'
import type { EngineDeps } from './deps.ts'
import { isForgotten, isLapsed, isLimit, isOfProofs, isProbeDue, noteRefusal, PROBE_EVERY_MS } from './halts.ts'

type ProbeDeps = Pick<EngineDeps, 'store' | 'clock' | 'logger'>
type ProbeApp = () => Promise<'accepted' | Verdict>

/** How long the others leave alone what one of them is about to find out (ms). */
const SOON_MS = MINUTE

/** `probing`: the halt through which this request passes, since it is the one that may find out. */
export type Passage =
  | { readonly pass: true; readonly probing: Halt | null }
  | { readonly pass: false; readonly until: number }

/**
 * Whether a request for an account may begin although a halt stands. When its time for a probe has come, exactly one worker may make
 * it: by a request about the app alone, where the provider has one; else its own request has to tell. A worker that
 * dies meanwhile keeps nobody from the next probe. Rejects as the store does.
 */
export async function passHalt(deps: ProbeDeps, provider: Provider, halt: Halt | null): Promise<Passage> {
  if (halt === null) return { pass: true, probing: null }
  const now = deps.clock.now()
  if (!isProbeDue(halt, now)) return { pass: false, until: halt.probeAt }
  const won = await winProbe(deps, halt)
  if (won === null) return { pass: false, until: now + SOON_MS }
  const probeApp = probeOf(provider, halt)
  if (probeApp === null) return { pass: true, probing: won }
  return (await probe(deps, won, probeApp)) ? { pass: true, probing: null } : { pass: false, until: won.probeAt }
}

/**
 * Probes each halt that is due, where the provider can be asked about the app alone, and forgets suspicions that came to
 * nothing, and halts that nobody has met for a day. Returns how many were found to be over. Rejects as the store does.
 */
export async function probeHalts(deps: ProbeDeps & Pick<EngineDeps, 'providers'>): Promise<number> {
  const { store, clock, providers } = deps
  let ended = 0
  for (const halt of await store.halts.list()) {
    if (isLapsed(halt, clock.now())) await store.halts.remove(halt)
    const provider = providers.get(halt.platform)
    if (halt.state === 'suspected' || provider === undefined || !isProbeDue(halt, clock.now())) continue
    const probeApp = probeOf(provider, halt)
    if (probeApp === null) {
      if (isForgotten(halt, clock.now())) await forget(deps, halt)
      continue
    }
    const won = await winProbe(deps, halt)
    if (won !== null && (await probe(deps, won, probeApp))) ended++
  }
  return ended
}

/** A request that passed a halt has shown that the app is accepted. Never rejects: if this fails, the next probe tells. */
export async function endProbed(deps: ProbeDeps, halt: Halt | null): Promise<void> {
  if (halt === null) return
  try {
    await end(deps, halt)
  } catch (error) {
    deps.logger.warn({ platform: halt.platform, err: error }, 'that the halt is over could not be noted')
  }
}

/**
 * An operator ends the halts of a platform, of one app or of all; recorded first. Returns what stood. Rejects with
 * HALT_NOT_FOUND, or as the store does.
 */
export async function endHalts(
  { store, clock, makeId, logger }: EngineDeps,
  platform: Platform,
  providerAppId: string | undefined,
  actor: string,
): Promise<readonly Halt[]> {
  const all = await store.halts.list()
  const found = all.filter(
    (halt) => halt.platform === platform && (providerAppId ?? halt.providerAppId) === halt.providerAppId,
  )
  if (found.length === 0) throw new CodedError('HALT_NOT_FOUND')
  for (const { id, code, providerAppId: appId } of found) {
    const detail = `${platform} ${appId} ${code}`
    await store.audit.insert([{ id: makeId(), accountId: '', action: 'halt.ended', actor, detail, at: clock.now() }])
    let standing = await store.halts.get(id)
    // Whatever has become of it since.
    while (standing !== null && !(await store.halts.remove(standing))) standing = await store.halts.get(id)
    logger.info({ platform, providerAppId: appId, code, actor }, `${platform}: the halt was ended by hand`)
  }
  return found
}

/** The right to make the one probe, and the halt as it stands then: whoever comes later waits for the next. */
async function winProbe({ store, clock }: ProbeDeps, halt: Halt): Promise<Halt | null> {
  const won = { ...halt, probeAt: clock.now() + PROBE_EVERY_MS }
  return (await store.halts.update(halt, won)) ? won : null
}

/** Null: only a request for an account can tell. A limit concerns the calls that those make, and proofs go with them. */
function probeOf(provider: Provider, halt: Halt): ProbeApp | null {
  if (provider.kind !== 'extend' || isLimit(halt) || isOfProofs(halt)) return null
  return provider.probeApp ?? null
}

async function probe(deps: ProbeDeps, won: Halt, probeApp: ProbeApp): Promise<boolean> {
  const answer = await probeApp()
  if (answer === 'accepted') return end(deps, won)
  const { platform, providerAppId } = won
  const { kind: verdict, code, internal } = answer
  deps.logger.warn({ platform, providerAppId, verdict, code, internal }, `${platform}: the halt goes on`)
  const isLimited = answer.kind === 'snooze' && answer.scope === 'app'
  if (answer.kind === 'halt' || isLimited) await noteRefusal(deps, won, answer, null)
  return false
}

/** Only what was probed: a refusal that came since makes a halt of its own. */
async function end({ store, logger }: ProbeDeps, halt: Halt): Promise<boolean> {
  const { platform, providerAppId, code } = halt
  const isEnded = await store.halts.remove(halt)
  if (isEnded) logger.info({ platform, providerAppId, code }, `${platform}: our app is accepted again`)
  return isEnded
}

async function forget({ store, logger }: ProbeDeps, halt: Halt): Promise<void> {
  const { platform, providerAppId, code } = halt
  if (await store.halts.remove(halt)) logger.info({ platform, providerAppId, code }, `${platform}: nobody met the halt`)
}
