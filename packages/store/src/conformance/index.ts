import { describe } from 'vitest'
import { accountTests } from './accounts.ts'
import { apiKeyTests } from './api-keys.ts'
import { batchingTests } from './batching.ts'
import { changeTests } from './changes.ts'
import { conditionTests } from './conditions.ts'
import { dueTests } from './due.ts'
import { entryTests } from './entries.ts'
import { expiringTests } from './expiring.ts'
import type { OpenFixture } from './fixture.ts'
import { haltTests } from './halts.ts'
import { lifeTests } from './life.ts'
import { logTests } from './log.ts'
import { lostUpdateTests } from './lost-updates.ts'
import { outboxTests } from './outbox.ts'
import { pageTests } from './pages.ts'
import { pagesDueTests } from './pages-due.ts'
import { protocolTests } from './protocol.ts'
import { pruneTests } from './prune.ts'
import { runTests } from './runs.ts'
import { scanTests } from './scan.ts'
import { scheduleTests } from './schedules.ts'
import { staleTests } from './stale.ts'
import { statsTests } from './stats.ts'

export * from './build-account.ts'
export type { OpenFixture, StoreFixture } from './fixture.ts'
export { buildSchedule } from './schedules.ts'

/** Declares the tests that every store adapter must pass. `open` is called once for each test. */
export function storeConformance(name: string, open: OpenFixture): void {
  describe(`${name} conforms`, () => {
    describe('accounts', () => accountTests(open))
    describe('conditions', () => conditionTests(open))
    describe('changes', () => changeTests(open))
    describe('writes of the protocol', () => protocolTests(open))
    describe('no lost update', () => lostUpdateTests(open))
    describe('batching', () => batchingTests(open))
    describe('outbox', () => outboxTests(open))
    describe('due', () => dueTests(open))
    describe('stale', () => staleTests(open))
    describe('expiring', () => expiringTests(open))
    describe('Pages', () => pageTests(open))
    describe('Pages due', () => pagesDueTests(open))
    describe('halts', () => haltTests(open))
    describe('log', () => logTests(open))
    describe('stats', () => statsTests(open))
    describe('events and audit', () => entryTests(open))
    describe('runs', () => runTests(open))
    describe('schedules', () => scheduleTests(open))
    describe('prune', () => pruneTests(open))
    describe('API keys', () => apiKeyTests(open))
    describe('scans', () => scanTests(open))
    describe('life', () => lifeTests(open))
  })
}
