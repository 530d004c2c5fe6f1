import { type Account, endOf, GRACE_MS, MINUTE } from '@tokenkeeper/core'
import { isWarning } from '../due.ts'
import { isLapsed, isOfProofs } from '../halts.ts'
import { takeOver } from '../take-over.ts'
import type { ExplainFacts, Finding, FindingCode } from './explanation.ts'
import type { Why } from './why.ts'
import { meaning, moment } from './words.ts'

/** What is due longer than that waits for more than the next look. */
const OVERDUE_MS = 10 * MINUTE

/** What else is to be known, the most urgent first. */
export function findingsOf(facts: ExplainFacts, why: Why): readonly Finding[] {
  const { account, now } = facts
  return [
    ...(facts.isOn ? [] : [finding('PLATFORM_OFF', 'Its platform is not configured here: from here nothing is sent.')]),
    ...ofHalt(facts, why),
    ...ofDelay(why, now),
    ...ofOutcome(facts),
    ...ofFailure(account, why),
    ...ofEnds(account, now),
    ...ofPages(account, now),
    ...ofRefresh(account),
  ]
}

function ofHalt({ halt, now }: ExplainFacts, { why }: Why): Finding[] {
  if (halt === null || isLapsed(halt, now) || why.code === 'HALTED') return []
  const cause = meaning(halt.code)
  if (halt.state === 'suspected') {
    return [finding('HALT_SUSPECTED', `Our app may be refused (${cause}) More accounts would show it.`, halt.since)]
  }
  const since = `since ${moment(halt.since)} (${cause})`
  return isOfProofs(halt)
    ? [finding('PAGES_HALTED', `No Pages are listed ${since} The next probe: ${moment(halt.probeAt)}.`, halt.probeAt)]
    : [
        finding(
          'PLATFORM_HALTED',
          `The platform is halted ${since} The next probe: ${moment(halt.probeAt)}.`,
          halt.probeAt,
        ),
      ]
}

function ofDelay({ isDue, nextAt }: Why, now: number): Finding[] {
  if (!isDue || nextAt === null || now - nextAt < OVERDUE_MS) return []
  return [finding('OVERDUE', `It has waited since ${moment(nextAt)}: no worker runs, or much is before it.`, nextAt)]
}

/** Of an attempt whose outcome nobody knows, or of whose generation an earlier one's is not known. */
function ofOutcome({ account: { attempt }, kind, now }: ExplainFacts): Finding[] {
  if (attempt === null) return []
  const { unknownSince, firstSentAt, state } = attempt
  const isLost = state === 'live' && takeOver(attempt, now).may
  if (unknownSince === null && state === 'live' && !isLost) return []
  const sent = finding(
    'SPENT_PERHAPS',
    `Its token may have been presented first at ${moment(firstSentAt)}.`,
    firstSentAt,
  )
  if (kind === 'extend') return [sent]
  const over = firstSentAt + GRACE_MS
  return now < over
    ? [sent, finding('GRACE_LASTS', `Until ${moment(over)} the host gives the same successor for it.`, over)]
    : [sent, finding('GRACE_OVER', `Since ${moment(over)} the host gives no successor for it any more.`, over)]
}

function ofFailure({ failure }: Account, { why }: Why): Finding[] {
  if (failure === null || why.code === 'NEEDS_RECONNECT') return []
  const { count, code, since } = failure
  const times = count === 1 ? 'Its last attempt failed' : `Its last ${count} attempts failed`
  return [finding('FAILING', `${times}, since ${moment(since)} with ${meaning(code)}`, since)]
}

function ofEnds(account: Account, now: number): Finding[] {
  const { diesAt, dataAccessExpiresAt, statusReason, status } = account
  const warning =
    statusReason !== null && status === 'active' && isWarning(statusReason)
      ? [finding('RECONNECT_SOON', meaning(statusReason), endOf(account)?.at)]
      : []
  const ends = (isOver: boolean, at: number, what: string, over: string) =>
    isOver ? `${what} ended at ${moment(at)}: ${over}` : `${what} ends at ${moment(at)}, after which ${over}`
  const token =
    diesAt === null
      ? []
      : [
          finding(
            diesAt <= now ? 'TOKEN_OVER' : 'TOKEN_ENDS',
            ends(diesAt <= now, diesAt, 'Its token', 'only a new login of the user helps.'),
            diesAt,
          ),
        ]
  if (dataAccessExpiresAt === null) return [...warning, ...token]
  const isOver = dataAccessExpiresAt <= now
  const text = ends(isOver, dataAccessExpiresAt, "The access to its user's data", 'only a new consent helps.')
  return [...warning, ...token, finding(isOver ? 'DATA_ACCESS_OVER' : 'DATA_ACCESS_ENDS', text, dataAccessExpiresAt)]
}

/** The sweep has Pages fetched of active accounts alone. */
function ofPages({ pagesDueAt, status }: Account, now: number): Finding[] {
  if (pagesDueAt === null || status === 'removing') return []
  if (status !== 'active') {
    return [finding('PAGES_WAIT', `Its Pages are to be fetched, once it is active again.`, pagesDueAt)]
  }
  return pagesDueAt <= now
    ? [finding('PAGES_DUE', `Its Pages have been due since ${moment(pagesDueAt)}.`, pagesDueAt)]
    : [finding('PAGES_LATER', `Its Pages are fetched at ${moment(pagesDueAt)}.`, pagesDueAt)]
}

function ofRefresh({ lastRefreshedAt, connectedAt, generation }: Account): Finding[] {
  return lastRefreshedAt === null
    ? [finding('NEVER_REFRESHED', `It was connected at ${moment(connectedAt)}, and not refreshed since.`, connectedAt)]
    : [
        finding(
          'REFRESHED',
          `It was refreshed last at ${moment(lastRefreshedAt)}, which made generation ${generation}.`,
          lastRefreshedAt,
        ),
      ]
}

function finding(code: FindingCode, text: string, at: number | null = null): Finding {
  return { code, text, at }
}
