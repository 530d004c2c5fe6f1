import { expect, test } from 'vitest'
import { runChaos } from './run-chaos.ts'

/** A checker that cannot fail proves nothing: each of the zeros is shown to rise where the product makes a mistake. */
const SMALL = ['--accounts', '16', '--workers', '2', '--in-flight', '8', '--rounds', '2']

/** The seed has the workers stopped with answers in their hands, and all accounts refreshed once more meanwhile. */
test('commits that compare nothing: newer credentials are overwritten, and spent tokens presented', {
  timeout: 600_000,
}, async () => {
  const args = ['--defect', 'commit-unfenced', '--only', 'stop-past-lease', '--seed', '13']
  const { code, verdict } = await runChaos(...SMALL, ...args)
  expect(verdict.overwrittenNewer).toBeGreaterThan(0)
  expect(verdict.doubleSpends).toBeGreaterThan(0)
  expect(code).toBe(1)
})

test('attempts forgotten at a start: they are missing in the log, and sessions are lost', {
  timeout: 600_000,
}, async () => {
  const args = ['--defect', 'attempts-cleared', '--only', 'kill-on-the-wire', '--workers', '1']
  const { code, verdict } = await runChaos(...SMALL, ...args)
  expect(verdict.unloggedAttempts).toBeGreaterThan(0)
  expect(verdict.lostSessions).toBeGreaterThan(0)
  expect(code).toBe(1)
})

test('any failure taken for a death: wrong verdicts', { timeout: 600_000 }, async () => {
  const args = ['--defect', 'failure-is-death', '--only', 'lost-answers']
  const { code, verdict } = await runChaos(...SMALL, ...args)
  expect(verdict.wrongVerdicts).toBeGreaterThan(0)
  expect(code).toBe(1)
})

test('accounts given up without a word: wrong verdicts', { timeout: 600_000 }, async () => {
  const { code, verdict } = await runChaos(...SMALL, '--defect', 'given-up-untold', '--only', 'lost-answers')
  expect(verdict.wrongVerdicts).toBeGreaterThan(0)
  expect(code).toBe(1)
})

test('accounts that only a refresh by hand reaches: they count as lost', { timeout: 600_000 }, async () => {
  const { code, verdict } = await runChaos(...SMALL, '--defect', 'never-due-again', '--only', 'lost-answers')
  expect(verdict.lostSessions).toBeGreaterThan(0)
  expect(verdict.wrongVerdicts).toBe(0)
  expect(code).toBe(1)
})
