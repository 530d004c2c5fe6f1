import type { Member } from '../world/fleet.ts'
import { didsOf } from '../world/users.ts'
import type { World } from '../world/world.ts'
import type { StoredToken } from './credentials.ts'
import { type Presentation, presentationsByDid, type Wire } from './presentations.ts'

export interface Spending {
  /** By an attempt that began before the successor was committed (invariant I2). */
  latePresentations: number
  /** The previous token, asked as a witness of a dead code (step 6 of the protocol). */
  witnesses: number
  doubleSpends: number
}

/** What a dying process had sent may lie in a socket for a moment. */
const IN_SOCKETS_MS = 2_000
/** For as long an answer is waited for; and no request goes out that long after its Begin, since the lease is shorter. */
const PATIENCE_MS = 30_000

interface Evidence extends Wire, Pick<World, 'users' | 'history'> {
  readonly fleet: Pick<World['fleet'], 'members'>
}

/** Looks at every presentation of a token whose successor stood in the store already. */
export function weighSpending(world: Evidence, stored: ReadonlyMap<string, readonly StoredToken[]>): Spending {
  const spending: Spending = { latePresentations: 0, witnesses: 0, doubleSpends: 0 }
  const presentations = presentationsByDid(world)
  for (const [accountId, did] of didsOf(world.users)) {
    const successorAt = new Map<string, number>()
    for (const { at, token } of stored.get(accountId) ?? []) {
      if (token.parent !== null && !successorAt.has(token.parent)) successorAt.set(token.parent, at)
    }
    const flights = flightsOf(world, accountId)
    const ofAccount = presentations.get(did) ?? []
    const refusals = new Set(ofAccount.filter(({ status }) => status === 400))
    for (const presentation of ofAccount) {
      const committedAt = successorAt.get(presentation.token.jti) ?? Number.POSITIVE_INFINITY
      const hasFlight = takeFlight(presentation, committedAt, flights)
      if (presentation.at <= committedAt) continue
      if (hasFlight) spending.latePresentations += 1
      else if (takeWitness(presentation, flights, refusals)) spending.witnesses += 1
      else spending.doubleSpends += 1
    }
  }
  return spending
}

/** While an attempt may present its token, and then the one before it. */
interface Flight {
  readonly sentAt: number
  /** The id of the token that it presents. */
  readonly jti: string
  /** Its own token has arrived by then, if it ever does. */
  readonly presentsUntil: number
  readonly asksUntil: number
  /** It has accounted for a presentation of its token, and for a witness. */
  presented: boolean
  hasAsked: boolean
}

/** Only of attempts that certainly began: without that, nothing may be presented. The first to end comes first. */
function flightsOf({ history, sessions, fleet }: Evidence, accountId: string): Flight[] {
  const attempts = history.accounts.get(accountId)?.attempts ?? []
  return attempts
    .filter(({ certain }) => certain)
    .map((attempt) => {
      const owner = fleet.members.get(attempt.by)
      const { sentAt, digest, commitRefusedAt = Number.POSITIVE_INFINITY } = attempt
      const goneAt = (owner?.diedAt ?? Number.POSITIVE_INFINITY) + IN_SOCKETS_MS
      const endedAt = attempt.end?.by === attempt.by ? attempt.end.at : Number.POSITIVE_INFINITY
      const until = (ms: number) => Math.min(goneAt, endedAt, commitRefusedAt, afterRunning(owner, sentAt, ms))
      const jti = sessions.byDigest(digest)?.jti ?? ''
      const [presentsUntil, asksUntil] = [until(PATIENCE_MS), until(2 * PATIENCE_MS)]
      return { sentAt, jti, presentsUntil, asksUntil, presented: false, hasAsked: false }
    })
    .toSorted((a, b) => a.presentsUntil - b.presentsUntil)
}

/** When a process has run for so long since then, not counted while it stood still. */
function afterRunning(owner: Pick<Member, 'stops'> | undefined, since: number, ms: number): number {
  let end = since + ms
  for (const { from, to = Number.POSITIVE_INFINITY } of owner?.stops ?? []) {
    if (from < end && to > since) end += to - Math.max(from, since)
  }
  return end
}

/** Takes the flight that may have presented the token, where there is one: each attempt presents its own once. */
function takeFlight({ at, token }: Presentation, committedAt: number, flights: readonly Flight[]): boolean {
  const flight = flights.find(
    ({ presented, jti, sentAt, presentsUntil }) =>
      !presented && jti === token.jti && sentAt <= Math.min(at, committedAt) && at <= presentsUntil,
  )
  if (flight) flight.presented = true
  return flight !== undefined
}

/** The same for an attempt that asks for the token before its own, which was refused: one for each and each refusal. */
function takeWitness({ at, token }: Presentation, flights: readonly Flight[], refusals: Set<Presentation>): boolean {
  for (const flight of flights) {
    if (flight.hasAsked || flight.sentAt > at || at > flight.asksUntil) continue
    for (const refusal of refusals) {
      const isOwn = refusal.token.jti === flight.jti && refusal.token.parent === token.jti
      if (!isOwn || refusal.at < flight.sentAt || refusal.at > at) continue
      flight.hasAsked = true
      return refusals.delete(refusal)
    }
  }
  return false
}
