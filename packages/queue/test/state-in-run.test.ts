import { type Account, type AttemptOutcome, attemptKey, DAY, MINUTE, SECOND } from '@tokenkeeper/core'
import { AT, buildAccount, buildAttempt } from '@tokenkeeper/store/build-account'
import { describe, expect, test } from 'vitest'
import { stateInRun } from '../src/runs/state-in-run.ts'

type State = ReturnType<typeof stateInRun>

const EARLIER = attempted('refreshed', 'earlier')

function attempted(outcome: AttemptOutcome, id = 'since') {
  return { id, outcome, generation: 1, at: AT }
}

/** What stands after an outcome that is unknown: the token is presented again so long after the attempt ended. */
const released = (waitMs: number) => buildAttempt({ state: 'released', notBefore: AT + waitMs })
const held = buildAttempt({ state: 'held', notBefore: AT + DAY })

interface Case {
  readonly seen?: Partial<Account>
  readonly since?: Partial<Account>
  readonly dueBefore?: number
  readonly now?: number
  readonly state: State
}

function check(cases: Readonly<Record<string, Case>>): void {
  test.each(Object.entries(cases))('%s', (_, { seen = {}, since = {}, dueBefore, now = AT, state }) => {
    const before = buildAccount({ lastAttempt: EARLIER, snoozedAt: AT - DAY, nextRefreshAt: AT, ...seen })
    const { id, lastAttempt, snoozedAt } = before
    const filter = dueBefore === undefined ? {} : { dueBefore }
    const remembered = { id, attempted: attemptKey(lastAttempt), snoozedAt }
    expect(stateInRun({ filter }, { ...before, ...since }, remembered, now)).toBe(state)
  })
}

describe('to which nothing happened since', () => {
  check({
    'is open, whatever happened before': { state: 'open' },
    'is open if its last attempt failed': { seen: { lastAttempt: attempted('failed') }, state: 'open' },
    'is open if there was none yet': { seen: { lastAttempt: null, snoozedAt: null }, state: 'open' },
    'is skipped if it is dead': { seen: { status: 'needs_reconnect' }, state: 'skipped' },
    'is skipped if it is paused': { since: { status: 'paused' }, state: 'skipped' },
    'is skipped if it is quarantined': { seen: { status: 'quarantined' }, state: 'skipped' },
    'is skipped if it is being removed': { since: { status: 'removing' }, state: 'skipped' },
    'is skipped if it is not due soon': { seen: { nextRefreshAt: AT + 2 }, dueBefore: AT + 1, state: 'skipped' },
    'is open if it is due soon': { seen: { nextRefreshAt: AT + 1 }, dueBefore: AT + 1, state: 'open' },
    'is awaited while an attempt is live': { since: { attempt: buildAttempt() }, state: 'awaited' },
    'is awaited if its unknown outcome is soon looked into': {
      seen: { attempt: released(10 * SECOND) },
      state: 'awaited',
    },
    'is deferred if that takes longer': { seen: { attempt: released(10 * SECOND + 1) }, state: 'deferred' },
    'is awaited if its time has come': {
      seen: { attempt: released(MINUTE) },
      now: AT + MINUTE,
      state: 'awaited',
    },
    'is deferred if it is held': { seen: { attempt: held }, state: 'deferred' },
    'is deferred if pacing postponed it': { since: { snoozedAt: AT }, state: 'deferred' },
    'is deferred if its recovery was postponed': {
      seen: { attempt: released(0) },
      since: { snoozedAt: AT, attempt: released(MINUTE) },
      state: 'deferred',
    },
  })
})

describe('that was attempted since', () => {
  const refreshed = attempted('refreshed')
  check({
    'is refreshed': { since: { lastAttempt: refreshed }, state: 'refreshed' },
    'is refreshed by a clock that is behind': {
      since: { lastAttempt: { ...refreshed, at: AT - DAY } },
      state: 'refreshed',
    },
    'is refreshed also by an answer that came late': {
      seen: { lastAttempt: attempted('ambiguous') },
      since: { lastAttempt: refreshed },
      state: 'refreshed',
    },
    'is refreshed though it is due later now': {
      since: { lastAttempt: refreshed, nextRefreshAt: AT + 2 },
      dueBefore: AT + 1,
      state: 'refreshed',
    },
    'is refreshed though somebody is at it again': {
      since: { lastAttempt: refreshed, attempt: buildAttempt() },
      state: 'refreshed',
    },
    'is refreshed though somebody paused it': {
      since: { lastAttempt: refreshed, status: 'paused' },
      state: 'refreshed',
    },
    'has failed': { since: { lastAttempt: attempted('failed') }, state: 'failed' },
    'has failed if it died': { since: { lastAttempt: attempted('dead'), status: 'needs_reconnect' }, state: 'failed' },
    'has failed though pacing postponed it then': {
      since: { lastAttempt: attempted('failed'), snoozedAt: AT },
      state: 'failed',
    },
    'has failed if it is held': { since: { lastAttempt: attempted('held'), attempt: held }, state: 'failed' },
    'is awaited while its outcome is unknown': {
      since: { lastAttempt: attempted('ambiguous'), attempt: released(SECOND) },
      state: 'awaited',
    },
    'is awaited while that is looked into': {
      since: { lastAttempt: attempted('ambiguous'), attempt: buildAttempt() },
      state: 'awaited',
    },
    'has failed if that is looked into much later': {
      since: { lastAttempt: attempted('ambiguous'), attempt: released(MINUTE) },
      state: 'failed',
    },
  })
})
