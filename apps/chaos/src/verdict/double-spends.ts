import type { AttemptHistory } from '../journal/history.ts'
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
    const attempts = flightsOf(world, accountId)
    const ofAccount = presentations.get(did) ?? []
    for (const presentation of ofAccount) {
      const committedAt = successorAt.get(presentation.token.jti)
      if (committedAt === undefined || presentation.at <= committedAt) continue
      spending[kindOf(presentation, committedAt, attempts, ofAccount)] += 1
    }
  }
  return spending
}

/** While an attempt may have a request of its own under way. */
interface Flight {
  readonly attempt: AttemptHistory
  /** The id of the token that it presents. */
  readonly jti: string
  readonly until: number
  /** It has accounted for a late presentation. */
  late: boolean
}

function flightsOf({ history, sessions, fleet }: Evidence, accountId: string): Flight[] {
  return (history.accounts.get(accountId)?.attempts ?? []).map((attempt) => {
    const diedAt = fleet.members.get(attempt.by)?.diedAt ?? Number.POSITIVE_INFINITY
    const endedAt = attempt.end?.by === attempt.by ? attempt.end.at : Number.POSITIVE_INFINITY
    const jti = sessions.byDigest(attempt.digest)?.jti ?? ''
    return { attempt, jti, until: Math.min(diedAt + IN_SOCKETS_MS, endedAt), late: false }
  })
}

/** Each attempt presents its token once, so it accounts for one late presentation. */
function kindOf(
  { at, token }: Presentation,
  committedAt: number,
  flights: readonly Flight[],
  ofAccount: readonly Presentation[],
): keyof Spending {
  const atWork = flights.filter(({ attempt, until }) => attempt.sentAt <= at && at <= until)
  const late = atWork.find((flight) => !flight.late && flight.jti === token.jti && flight.attempt.sentAt <= committedAt)
  if (late) {
    late.late = true
    return 'latePresentations'
  }
  const isWitness = atWork.some(({ attempt, jti }) =>
    ofAccount.some(
      (earlier) =>
        earlier.token.jti === jti &&
        earlier.token.parent === token.jti &&
        earlier.status === 400 &&
        earlier.at >= attempt.sentAt &&
        earlier.at <= at,
    ),
  )
  return isWitness ? 'witnesses' : 'doubleSpends'
}
