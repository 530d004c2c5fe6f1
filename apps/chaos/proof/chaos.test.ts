import { mongoForTests } from '@tokenkeeper/testkit'
import { expect, test } from 'vitest'
import { ZEROS } from '../src/verdict/verdict.ts'
import { runChaos } from './run-chaos.ts'

/** Under three minutes on a machine that has nothing else to do. */
const LONG = 900_000
/** Several deaths for 100 interruptions, and few accounts, so that most of the time goes to the faults. */
const SHORT = ['--interruptions', '100', '--accounts', '60', '--workers', '2', '--in-flight', '10']
/** What others read from the last line. */
const KEYS = [
  'seed',
  'store',
  'interruptions',
  'kills',
  'refreshes',
  'lostSessions',
  'doubleSpends',
  'latePresentations',
  'witnesses',
  'overwrittenNewer',
  'wrongVerdicts',
  'unloggedAttempts',
  'fencedCommits',
  'spoolReplays',
  'recoverySeconds',
]
const mongo = await mongoForTests('chaos on MongoDB')

async function expectNothingLost(store: string): Promise<void> {
  const { code, verdict } = await runChaos('--store', store, ...SHORT)
  expect(Object.keys(verdict)).toEqual(KEYS)
  expect(Object.keys(verdict.recoverySeconds)).toEqual(['p50', 'max'])
  expect(verdict).toMatchObject({ store, ...Object.fromEntries(ZEROS.map((name) => [name, 0])) })
  expect(verdict.interruptions).toBeGreaterThanOrEqual(100)
  expect(verdict.refreshes).toBeGreaterThan(100)
  expect(code).toBe(0)
}

test('100 interruptions on SQLite, mixed by chance: nothing is lost', { timeout: LONG }, () =>
  expectNothingLost('sqlite'),
)

test.skipIf(mongo === null)('100 interruptions on MongoDB: the same', { timeout: LONG }, () =>
  expectNothingLost('mongo'),
)

/** How long it takes depends on what else the machine does: docs/chaos.md states the bound and the runs that show it. */
test('recovery is measured after a round of kills alone', { timeout: LONG }, async () => {
  const { code, verdict } = await runChaos(...SHORT, '--only', 'kill-on-the-wire', '--rounds', '2')
  console.log(`recovery: ${JSON.stringify(verdict.recoverySeconds)}`)
  expect(verdict.recoverySeconds.max).not.toBeNull()
  expect(code).toBe(0)
})
