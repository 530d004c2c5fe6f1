import { type Attempt, HOUR } from '@tokenkeeper/core'
import { buildAttempt } from '@tokenkeeper/store/build-account'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type TakeOver, takeOver } from '../src/take-over.ts'

const NO: TakeOver = { may: false }
const YES: TakeOver = { may: true, early: false }
const EARLY: TakeOver = { may: true, early: true }

type Job = Parameters<typeof takeOver>[2]

describe('each rule', () => {
  const live = { state: 'live', leaseUntil: 100, jobId: 'job', jobRun: 1 } as const
  const rows: readonly (readonly [
    what: string,
    standing: Partial<Attempt>,
    now: number,
    job: Job,
    expected: TakeOver,
  ])[] = [
    ['released, before notBefore', { state: 'released', notBefore: 100 }, 99, undefined, NO],
    ['released, at notBefore', { state: 'released', notBefore: 100 }, 100, undefined, YES],
    ['held, before notBefore', { state: 'held', notBefore: 100 }, 99, undefined, NO],
    ['held, at notBefore', { state: 'held', notBefore: 100 }, 100, undefined, YES],
    [
      'released, a later run of its job, before notBefore',
      { ...live, state: 'released', notBefore: 100 },
      99,
      { id: 'job', run: 2 },
      NO,
    ],
    [
      'held, a later run of its job, before notBefore',
      { ...live, state: 'held', notBefore: 100 },
      99,
      { id: 'job', run: 2 },
      NO,
    ],
    ['released, whatever its lease says', { state: 'released', notBefore: 100, leaseUntil: 500 }, 100, undefined, YES],
    ['live, within its lease', live, 99, undefined, NO],
    ['live, at the end of its lease', live, 100, undefined, YES],
    ['live, by a clock hours ahead of ours', { ...live, leaseUntil: 3 * HOUR }, 99, undefined, YES],
    ['live, whatever notBefore says', { ...live, notBefore: 0 }, 99, undefined, NO],
    ['live, the same run of its job', live, 99, { id: 'job', run: 1 }, NO],
    ['live, an earlier run of its job', live, 99, { id: 'job', run: 0 }, NO],
    ['live, a later run of its job', live, 99, { id: 'job', run: 2 }, EARLY],
    ['live, a run far later', live, 99, { id: 'job', run: 9 }, EARLY],
    ['live, a later run of its job, after the lease', live, 100, { id: 'job', run: 2 }, YES],
    ['live, a later run of another job', live, 99, { id: 'duplicate', run: 2 }, NO],
    ['live, begun outside a job', { ...live, jobId: null, jobRun: 0 }, 99, { id: 'job', run: 2 }, NO],
    [
      'live, itself taken over early: not twice in a row',
      { ...live, tookOverEarly: true },
      99,
      { id: 'job', run: 2 },
      NO,
    ],
    [
      'live, itself taken over early, after the lease',
      { ...live, tookOverEarly: true },
      100,
      { id: 'job', run: 2 },
      YES,
    ],
  ]

  test.each(rows)('%s', (_what, standing, now, job, expected) => {
    expect(takeOver(buildAttempt(standing), now, job)).toEqual(expected)
  })
})

describe('whatever stands there', () => {
  const time = fc.integer({ min: 0, max: 20 })
  const jobId = fc.constantFrom('job', 'other')
  const attempts = fc
    .record({
      state: fc.constantFrom('live', 'released', 'held'),
      leaseUntil: time,
      notBefore: time,
      jobId: fc.option(jobId),
      jobRun: fc.nat(3),
      tookOverEarly: fc.boolean(),
    })
    .map((fields) => buildAttempt(fields as Partial<Attempt>))
  const jobs = fc.option(fc.record({ id: jobId, run: fc.nat(4) }), { nil: undefined })

  test('what may be taken over may be taken over later too', () => {
    fc.assert(
      fc.property(attempts, time, fc.nat(20), jobs, (standing, now, wait, job) => {
        fc.pre(takeOver(standing, now, job).may)
        expect(takeOver(standing, now + wait, job).may).toBe(true)
      }),
    )
  })

  test('it may be taken over some time, by anybody: nothing is stuck', () => {
    fc.assert(
      fc.property(attempts, jobs, (standing, job) => {
        const end = standing.state === 'live' ? standing.leaseUntil : standing.notBefore
        expect(takeOver(standing, end, job)).toEqual(YES)
        expect(takeOver(standing, end)).toEqual(YES)
      }),
    )
  })

  test('before its time only a later run of the very job displaces it, and only if it did not come early itself', () => {
    fc.assert(
      fc.property(attempts, time, jobs, (standing, now, job) => {
        const taken = takeOver(standing, now, job)
        const end = standing.state === 'live' ? standing.leaseUntil : standing.notBefore
        fc.pre(taken.may && now < end)
        expect(taken).toEqual(EARLY)
        expect(standing.state).toBe('live')
        expect(standing.tookOverEarly).toBe(false)
        expect(job?.id).toBe(standing.jobId)
        expect(job?.run).toBeGreaterThan(standing.jobRun)
      }),
      { numRuns: 1_000 },
    )
  })

  test('a worker that asks outside a job never comes early', () => {
    fc.assert(
      fc.property(attempts, time, (standing, now) => {
        expect(takeOver(standing, now)).not.toEqual(EARLY)
      }),
    )
  })
})
