import { type Account, type AccountStatus, type Attempt, DAY, HOUR, MINUTE, SECOND } from '@tokenkeeper/core'
import {
  AT,
  buildAccount,
  buildAttempt,
  buildHalt,
  buildLogEntry,
  buildLogItem,
} from '@tokenkeeper/store/build-account'
import { describe, expect, test } from 'vitest'
import { explain } from '../src/explain/explain.ts'
import type { ExplainFacts, FindingCode, WhyCode } from '../src/explain/explanation.ts'

const [PAST, SOON] = [AT - MINUTE, AT + MINUTE]

/** What may stand in an account, and the time to which that leads. */
const STANDING = {
  'nothing, due': { attempt: null, nextRefreshAt: PAST },
  'nothing, later': { attempt: null, nextRefreshAt: SOON },
  'live, at work': attempt({ state: 'live', leaseUntil: SOON }),
  'live, lease over': attempt({ state: 'live', leaseUntil: PAST }),
  'live, lease of a wrong clock': attempt({ state: 'live', leaseUntil: AT + 3 * HOUR }),
  'released, waiting': attempt({ state: 'released', notBefore: SOON }),
  'released, ready': attempt({ state: 'released', notBefore: PAST }),
  'held, waiting': attempt({ state: 'held', notBefore: SOON }),
  'held, ready': attempt({ state: 'held', notBefore: PAST }),
} as const satisfies Record<string, Partial<Account>>
type Standing = keyof typeof STANDING

function attempt(fields: Partial<Attempt>) {
  // Where an attempt stands, the due time of the account decides only for quarantined ones.
  return { attempt: buildAttempt({ beganAt: AT - HOUR, ...fields }), nextRefreshAt: PAST }
}

type Row = readonly [code: WhyCode, isDue: boolean, nextAt: number | null]

const OF_ATTEMPTS: Readonly<Record<Exclude<Standing, 'nothing, due' | 'nothing, later'>, Row>> = {
  'live, at work': ['AT_WORK', false, SOON],
  'live, lease over': ['RECOVERY_DUE', true, PAST],
  'live, lease of a wrong clock': ['RECOVERY_DUE', true, AT],
  'released, waiting': ['OUTCOME_UNKNOWN', false, SOON],
  'released, ready': ['RECOVERY_DUE', true, PAST],
  'held, waiting': ['DEATH_HELD', false, SOON],
  'held, ready': ['RECOVERY_DUE', true, PAST],
}

/** Only the sweep takes a lease over before it ends. */
const UNSWEPT = { 'live, lease of a wrong clock': ['AT_WORK', false, AT + 3 * HOUR] } as const

const always = (row: Row) =>
  Object.fromEntries(Object.keys(STANDING).map((standing) => [standing, row])) as Record<Standing, Row>

const EXPECTED: Readonly<Record<AccountStatus, Readonly<Record<Standing, Row>>>> = {
  active: { ...OF_ATTEMPTS, 'nothing, due': ['DUE', true, PAST], 'nothing, later': ['NOT_DUE', false, SOON] },
  paused: {
    ...OF_ATTEMPTS,
    ...UNSWEPT,
    'nothing, due': ['PAUSED', false, null],
    'nothing, later': ['PAUSED', false, null],
  },
  needs_action: {
    ...OF_ATTEMPTS,
    'nothing, due': ['DUE', true, PAST],
    'nothing, later': ['NEEDS_ACTION', false, SOON],
  },
  needs_reconnect: {
    ...OF_ATTEMPTS,
    ...UNSWEPT,
    'nothing, due': ['NEEDS_RECONNECT', false, null],
    'nothing, later': ['NEEDS_RECONNECT', false, null],
  },
  quarantined: {
    'nothing, due': ['QUARANTINED', true, PAST],
    'nothing, later': ['QUARANTINED', false, SOON],
    'live, at work': ['QUARANTINED', false, SOON],
    'live, lease over': ['QUARANTINED', true, PAST],
    'live, lease of a wrong clock': ['QUARANTINED', true, AT],
    'released, waiting': ['QUARANTINED', false, SOON],
    'released, ready': ['QUARANTINED', true, PAST],
    'held, waiting': ['QUARANTINED', false, SOON],
    'held, ready': ['QUARANTINED', true, PAST],
  },
  removing: always(['REMOVING', true, AT]),
}

const rows = Object.entries(EXPECTED).flatMap(([status, byStanding]) =>
  Object.entries(byStanding).map(([standing, row]) => [status as AccountStatus, standing as Standing, row] as const),
)

test.each(rows)('%s, %s: %o', (status, standing, [code, isDue, nextAt]) => {
  const { why, ...explanation } = explain(facts({ status, ...STANDING[standing] }))
  expect([why.code, explanation.isDue, explanation.nextAt]).toEqual([code, isDue, nextAt])
  expect(why.text).toMatch(/^It|^The worker|^Its|^An operator|^The (provider|user)/)
  expect(why.text).toMatch(/\.$/)
})

describe('an active account that waits', () => {
  const suspected = { count: 1, class: 'dead_suspected', code: 'BLUESKY_SESSION_EXPIRED', since: PAST } as const
  const failing = { count: 3, class: 'transient', code: 'PROVIDER_TIMEOUT', since: PAST } as const
  const lastAttempt = { id: 'a', outcome: 'failed', generation: 1, at: PAST } as const
  test.each<[string, Partial<Account>, WhyCode]>([
    ['after a failure', { failure: failing, lastAttempt }, 'BACKING_OFF'],
    ['after a first dead code', { failure: suspected, lastAttempt }, 'DEATH_SUSPECTED'],
    ['since it was put off', { snoozedAt: AT - SECOND, lastAttempt }, 'PUT_OFF'],
    ['since it was put off after a failure', { failure: failing, snoozedAt: AT - SECOND, lastAttempt }, 'PUT_OFF'],
    ['after a failure that came later', { failure: failing, snoozedAt: PAST - 1, lastAttempt }, 'BACKING_OFF'],
    ['put off before it was connected anew', { snoozedAt: PAST, connectedAt: PAST + 1 }, 'NOT_DUE'],
  ])('%s', (_, account, code) => {
    const { why } = explain(facts({ nextRefreshAt: SOON, connectedAt: AT - DAY, ...account }))
    expect(why).toMatchObject({ code, at: SOON })
    expect(why.text).toContain('2027-01-15 08:01:00 UTC')
  })
})

describe('halts', () => {
  const halt = buildHalt({ probeAt: AT + 5 * MINUTE, since: PAST })
  const late = buildHalt({ probeAt: AT + HOUR })
  const proofs = buildHalt({ code: 'META_PROOF_REFUSED' })
  const suspected = buildHalt({ state: 'suspected', since: PAST })
  const due = { nextRefreshAt: PAST }
  const later = { nextRefreshAt: AT + DAY }
  const stale = STANDING['released, ready']
  test.each<[string, Partial<Account>, ExplainFacts['halt'], WhyCode, number | null, FindingCode[]]>([
    ['keep back what is due, to the probe', due, halt, 'HALTED', AT + 5 * MINUTE, []],
    ['… which is looked for in 15 minutes at the latest', due, late, 'HALTED', AT + 15 * MINUTE, []],
    ['… and what is to be recovered', stale, halt, 'HALTED', AT + 5 * MINUTE, []],
    ['let the one through that may probe', due, buildHalt({ probeAt: PAST }), 'DUE', PAST, ['PLATFORM_HALTED']],
    ['are told of what is not due', later, halt, 'NOT_DUE', AT + DAY, ['PLATFORM_HALTED']],
    ['of proofs stop Pages alone', due, proofs, 'DUE', PAST, ['PAGES_HALTED']],
    ['that are suspected stop nothing', due, suspected, 'DUE', PAST, ['HALT_SUSPECTED']],
    ['that were suspected are forgotten', due, { ...suspected, since: AT - HOUR }, 'DUE', PAST, []],
    [
      'do not matter for what does not open',
      { ...due, status: 'quarantined' },
      halt,
      'QUARANTINED',
      PAST,
      ['PLATFORM_HALTED'],
    ],
    ['do not matter for what is paused', { ...due, status: 'paused' }, halt, 'PAUSED', null, ['PLATFORM_HALTED']],
  ])('%s', (_, account, halt, code, nextAt, findings) => {
    const explanation = explain({ ...facts(account), halt })
    expect([explanation.why.code, explanation.nextAt]).toEqual([code, nextAt])
    expect(explanation.isDue).toBe(code === 'DUE' || code === 'QUARANTINED')
    expect(codesOf(explanation).filter((one) => /HALT/.test(one))).toEqual(findings)
  })
})

describe('what else is to be known', () => {
  const unknown = { state: 'released', unknownSince: PAST, firstSentAt: PAST } as const
  const failure = { count: 2, class: 'transient', code: 'PROVIDER_TIMEOUT', since: PAST } as const
  test.each<[FindingCode, Partial<Account>, number | null, RegExp, Partial<ExplainFacts>?]>([
    ['PLATFORM_OFF', {}, null, /not configured here/, { isOn: false }],
    ['OVERDUE', { nextRefreshAt: AT - HOUR }, AT - HOUR, /no worker runs/],
    ['SPENT_PERHAPS', { attempt: buildAttempt(unknown) }, PAST, /2027-01-15 07:59:00 UTC/],
    ['SPENT_PERHAPS', { attempt: buildAttempt({ firstSentAt: PAST, leaseUntil: PAST }) }, PAST, /may have been/],
    ['GRACE_LASTS', { attempt: buildAttempt(unknown) }, PAST + 2 * HOUR, /same successor/],
    ['GRACE_OVER', { attempt: buildAttempt({ ...unknown, firstSentAt: AT - DAY }) }, AT - 22 * HOUR, /no successor/],
    ['FAILING', { failure }, PAST, /^Its last 2 attempts failed, since .* with PROVIDER_TIMEOUT: /],
    ['RECONNECT_SOON', { statusReason: 'TOKEN_NOT_EXTENDED', diesAt: AT + DAY }, AT + DAY, /^TOKEN_NOT_EXTENDED: /],
    ['TOKEN_ENDS', { diesAt: AT + DAY }, AT + DAY, /ends at .*, after which only a new login/],
    ['TOKEN_OVER', { diesAt: AT }, AT, /ended at .*: only a new login/],
    ['DATA_ACCESS_ENDS', { dataAccessExpiresAt: AT + 1 }, AT + 1, /after which only a new consent/],
    ['DATA_ACCESS_OVER', { dataAccessExpiresAt: PAST }, PAST, /only a new consent/],
    ['PAGES_DUE', { pagesDueAt: PAST }, PAST, /due since/],
    ['PAGES_LATER', { pagesDueAt: SOON }, SOON, /fetched at/],
    ['PAGES_WAIT', { pagesDueAt: PAST, status: 'paused' }, PAST, /active again/],
    ['REFRESHED', { lastRefreshedAt: PAST, generation: 7 }, PAST, /generation 7/],
    ['NEVER_REFRESHED', { lastRefreshedAt: null, connectedAt: AT - DAY }, AT - DAY, /connected at/],
  ])('%s', (code, account, at, text, more) => {
    const found = explain({ ...facts(account), ...more }).findings.find((finding) => finding.code === code)
    expect(found).toEqual({ code, at, text: expect.stringMatching(text) })
  })

  test('an account in order has but its end and its last refresh to tell', () => {
    const account = { nextRefreshAt: SOON, lastRefreshedAt: PAST, diesAt: AT + DAY, attempt: null }
    expect(codesOf(explain(facts(account)))).toEqual(['TOKEN_ENDS', 'REFRESHED'])
  })

  test('what a worker is at work on is not in doubt, and has no grace where the old token goes on working', () => {
    const atWork = { attempt: buildAttempt({ leaseUntil: SOON }) }
    expect(codesOf(explain(facts(atWork)))).not.toContain('SPENT_PERHAPS')
    const released = { attempt: buildAttempt({ state: 'released', unknownSince: PAST }) }
    const codes = codesOf(explain({ ...facts(released), kind: 'extend' }))
    expect(codes).toContain('SPENT_PERHAPS')
    expect(codes).not.toContain('GRACE_LASTS')
  })
})

describe('lineage', () => {
  test('generation by generation, the latest first, from the log, the outbox and what stands', () => {
    const entry = (id: string, generation: number, at: number, more: object = {}) =>
      buildLogEntry({ id, generation, refreshedAt: AT + at, tokenDigest: `digest-${generation}`, ...more })
    const failed = { outcome: 'failed', success: false, errorCode: 'PROVIDER_TIMEOUT' } as const
    const log = [
      entry('d', 2, 4, failed),
      entry('b', 1, 2),
      entry('a', 1, 1, failed),
      entry('b:page', 1, 3, { pageId: 'p' }),
    ]
    const outbox = [
      buildLogItem({ id: 'e', generation: 2, refreshedAt: AT + 5, tokenDigest: 'digest-2', ...failed }),
      // Told by others, late.
      buildLogItem({ id: 'b', generation: 1, outcome: 'interrupted', success: false }),
    ]
    const standing = buildAttempt({ id: 'f', beganAt: AT + 6, presentedDigest: 'digest-2', refreshType: 'manual' })
    const { lineage } = explain({ ...facts({ generation: 2, attempt: standing, outbox }), log })
    const line = (id: string, generation: number, at: number, outcome: string, errorCode: string | null = null) => ({
      id,
      tokenDigest: `digest-${generation}`,
      refreshType: id === 'f' ? 'manual' : 'scheduled',
      outcome,
      errorCode,
      at: AT + at,
    })
    expect(lineage).toEqual([
      {
        generation: 2,
        attempts: [
          line('f', 2, 6, 'standing'),
          line('e', 2, 5, 'failed', 'PROVIDER_TIMEOUT'),
          line('d', 2, 4, 'failed', 'PROVIDER_TIMEOUT'),
        ],
      },
      { generation: 1, attempts: [line('b', 1, 2, 'refreshed'), line('a', 1, 1, 'failed', 'PROVIDER_TIMEOUT')] },
    ])
  })

  test('an attempt that is released has told its end, and is not told twice', () => {
    const released = buildAttempt({ id: 'r', state: 'released' })
    const told = buildLogEntry({ id: 'r', outcome: 'ambiguous', success: false })
    const { lineage } = explain({ ...facts({ attempt: released }), log: [told] })
    expect(lineage.flatMap(({ attempts }) => attempts.map(({ outcome }) => outcome))).toEqual(['ambiguous'])
  })
})

test('an explanation holds nothing that is sealed', () => {
  const secrets = {
    sealedCredential: 'SECRET-1',
    previousCredential: 'SECRET-2',
    sealedAppPassword: 'SECRET-3',
    formerCredentials: [{ sealed: 'SECRET-4', keyId: 'k', until: AT }],
  }
  expect(JSON.stringify(explain(facts(secrets)))).not.toContain('SECRET')
})

function facts(account: Partial<Account>): ExplainFacts {
  return { account: buildAccount(account), kind: 'grace', halt: null, log: [], isOn: true, now: AT }
}

function codesOf({ findings }: ReturnType<typeof explain>): FindingCode[] {
  return findings.map(({ code }) => code)
}
