import type { Account, Credential, DeadVerdict, ErrorCode } from '@tokenkeeper/core'
import { GRACE_MS, MINUTE, nextFailure } from '@tokenkeeper/core'
import type { ExtendProvider, GraceProvider, Refreshed } from '@tokenkeeper/providers'
import { healByAppPassword } from './app-password.ts'
import { openCredential } from './credentials.ts'
import type { EngineDeps } from './deps.ts'
import type { Flight } from './flight.ts'
import { comeBackAt, standingHalt } from './halts.ts'
import { concludeFailed, concludeIndefinite, writeVerdict } from './indefinite.ts'
import { land, landedOutcome } from './land.ts'
import type { RefreshOutcome } from './outcome.ts'
import { present } from './present.ts'
import { dead, fail, hold } from './writes/attempt-writes.ts'

/** When a login with the app password is tried again that got no definite answer. */
const LOGIN_AGAIN_MS = 30 * MINUTE

/** Either the weighing is over, or the dead code still stands, perhaps made more precise. */
type Weighed = { readonly over: RefreshOutcome } | { readonly over: null; readonly verdict: DeadVerdict }

/**
 * Step 6: a dead code is not yet a death. The store may know better (somebody refreshed or reconnected), the previous
 * token may still yield a successor, the account may have moved, a spool may hold the answer to an earlier attempt,
 * the user may have left an app password; and a session must be called dead twice.
 */
export async function weighDeadCode(deps: EngineDeps, begun: Flight, verdict: DeadVerdict): Promise<RefreshOutcome> {
  await deps.hook('dead.before-reread', begun.account.id)
  let fresh: Account | null
  try {
    fresh = await deps.store.accounts.get(begun.account.id)
  } catch {
    return { kind: 'ambiguous', code: 'STORE_UNAVAILABLE', until: begun.attempt.leaseUntil }
  }
  if (fresh?.generation !== begun.account.generation || fresh.attempt?.id !== begun.attempt.id) {
    return { kind: 'fenced' }
  }
  // Somebody may have tried and failed between our read and our Begin: what counts is the failure that stands now.
  const flight = { ...begun, account: fresh }
  const { provider } = flight
  const weighed =
    provider.kind === 'grace'
      ? await hearGraceWitnesses(deps, flight, provider, fresh, verdict)
      : await hearExtendWitness(deps, flight, provider, verdict)
  if (weighed.over) return weighed.over
  await deps.hook('dead.after-reread-before-verdict', flight.account.id)
  return believe(deps, flight, fresh, weighed.verdict)
}

/** The previous token and the identity. */
async function hearGraceWitnesses(
  deps: EngineDeps,
  flight: Flight,
  provider: GraceProvider,
  fresh: Account,
  verdict: DeadVerdict,
): Promise<Weighed> {
  const outcome = await presentPrevious(deps, flight, provider, fresh)
  if (outcome) return { over: outcome }
  const location = await provider.locate(flight.account)
  if (location.kind === 'unknown') return { over: await suspect(deps, flight, verdict.code, 'IDENTITY_UNRESOLVED') }
  if (location.kind === 'moved')
    return { over: null, verdict: { kind: 'dead', code: 'BLUESKY_MOVED', detail: location.host } }
  return { over: null, verdict }
}

/**
 * The provider's own word on the token, asked another way. While our app is halted neither word counts: what is wrong
 * with the app may look like a dead token.
 */
async function hearExtendWitness(
  deps: EngineDeps,
  flight: Flight,
  provider: ExtendProvider,
  verdict: DeadVerdict,
): Promise<Weighed> {
  const { account, credential } = flight
  const failed = async (at?: number) => ({
    over: await concludeFailed(deps, flight, { class: 'transient', code: verdict.code }, at),
  })
  try {
    let halt = await standingHalt(deps, account)
    if (halt === null) {
      if ((await provider.confirmDead(account, credential)) !== 'dead') return await failed()
      // Others may have been refused meanwhile.
      halt = await standingHalt(deps, account)
    }
    return halt === null ? { over: null, verdict } : await failed(comeBackAt(halt, deps.clock.now()))
  } catch {
    return { over: { kind: 'ambiguous', code: 'STORE_UNAVAILABLE', until: flight.attempt.leaseUntil } }
  }
}

/**
 * A provider restored from a backup may not know our token but its predecessor. An answer that only repeats the stored
 * token is never committed: presented, that one would look idle although it is spent. Null if the previous token is
 * dead too, or there is none.
 */
async function presentPrevious(
  deps: EngineDeps,
  flight: Flight,
  provider: GraceProvider,
  fresh: Account,
): Promise<RefreshOutcome | null> {
  const previous = openPrevious(deps, fresh)
  if (previous === null) return null
  const repeatsStored = (answer: Refreshed) =>
    provider.tokenId(answer.credential) === provider.tokenId(flight.credential)
  const commitIfNew = async (answer: Refreshed) => (repeatsStored(answer) ? undefined : land(deps, flight, answer))

  const witness = present(deps, flight, previous, commitIfNew)
  await deps.hook('dead.witness-in-flight', flight.account.id)
  let answer = await witness
  if (answer.kind === 'refreshed' && repeatsStored(answer)) answer = await present(deps, flight, flight.credential)
  if (answer.kind === 'dead') return null
  if (answer.kind !== 'refreshed') return concludeIndefinite(deps, flight, answer)
  return landedOutcome(flight, await land(deps, flight, answer))
}

/** Hold, heal, suspect or dead. */
async function believe(
  deps: EngineDeps,
  flight: Flight,
  fresh: Account,
  verdict: DeadVerdict,
): Promise<RefreshOutcome> {
  const { attempt, provider } = flight
  const { code } = verdict
  const now = deps.clock.now()
  const { since } = nextFailure(flight.account.failure, { class: 'dead_suspected', code }, now)
  const isFirstWitness = provider.kind === 'grace' && now - since < deps.times.witnessMs
  if (attempt.unknownSince !== null && now - attempt.unknownSince < deps.times.holdMs) {
    // A hold outlasts the grace: as long as the token may yet yield its successor, one witness does not begin it.
    if (isFirstWitness && now < attempt.firstSentAt + GRACE_MS) return suspect(deps, flight, code, code)
    const until = attempt.unknownSince + deps.times.holdMs
    const outcome = await writeVerdict(deps, flight, hold(flight, now, until, code), { kind: 'held', code, until })
    await deps.hook('hold.applied', flight.account.id)
    return outcome
  }
  if (provider.kind === 'grace') {
    const healing = code === 'BLUESKY_MOVED' ? null : await healByAppPassword(deps, flight, provider, fresh)
    if (healing?.kind === 'refreshed') return landLogin(deps, flight, healing)
    if (healing) return suspect(deps, flight, code, healing.code, now + LOGIN_AGAIN_MS)
    if (isFirstWitness) return suspect(deps, flight, code, code)
  }
  const failure = nextFailure(flight.account.failure, { class: 'dead', code }, now)
  const write = dead(flight, now, { code, detail: verdict.detail, failure })
  return writeVerdict(deps, flight, write, { kind: 'dead', code })
}

/** A session of its own: where a newer generation was faster, nobody would ever end it. */
async function landLogin(deps: EngineDeps, flight: Flight, login: Refreshed): Promise<RefreshOutcome> {
  const landing = await land(deps, flight, login)
  if (landing === 'fenced') await flight.provider.logout(flight.account, [login.credential])
  return landedOutcome(flight, landing)
}

/** The first witness of a death: a failure like any other, but it remembers the code and comes back in minutes. */
async function suspect(
  deps: EngineDeps,
  flight: Flight,
  code: ErrorCode,
  shown: ErrorCode,
  at?: number,
): Promise<RefreshOutcome> {
  const now = deps.clock.now()
  const failure = nextFailure(flight.account.failure, { class: 'dead_suspected', code }, now)
  const second = failure.since + deps.times.witnessMs
  const until = at ?? (second > now ? second : now + deps.times.witnessMs)
  return writeVerdict(deps, flight, fail(flight, now, until, failure, shown), { kind: 'failed', code: shown, until })
}

function openPrevious(deps: EngineDeps, account: Account): Credential | null {
  if (account.previousCredential === null) return null
  try {
    return openCredential(deps.sealer, account.id, account.previousCredential)
  } catch {
    return null // its key is gone; the witness is then missing, not the account
  }
}
