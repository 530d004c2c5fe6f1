import type { RefreshLogEntry } from '@tokenkeeper/core'
import { expect, test } from 'vitest'
import { AT, buildLogEntry } from './build-account.ts'
import type { OpenFixture } from './fixture.ts'

export function statsTests(open: OpenFixture): void {
  test('attempts are counted by refresh type, Pages apart, and failures by their cause', async () => {
    await using fixture = await open()
    const { log } = fixture.store
    expect(await log.stats({ since: 0, topFailures: 9 })).toStrictEqual({ counts: [], failures: [] })
    const timeOut = (overrides: Partial<RefreshLogEntry> = {}) =>
      buildLogEntry({ outcome: 'ambiguous', success: false, errorCode: 'PROVIDER_TIMEOUT', ...overrides })
    await log.put([
      buildLogEntry({ refreshedAt: AT }),
      buildLogEntry({ refreshedAt: AT + 1 }),
      timeOut({ refreshedAt: AT + 5 }),
      timeOut({ refreshedAt: AT + 9 }),
      timeOut({ refreshedAt: AT + 7, refreshType: 'manual' }),
      timeOut({ refreshedAt: AT - 1 }), // before the time
      buildLogEntry({ outcome: 'interrupted', success: false, refreshType: 'on_demand' }),
      buildLogEntry({ outcome: 'dead', success: false, errorCode: 'META_TOKEN_EXPIRED', refreshType: 'manual' }),
      buildLogEntry({ pageId: 'page-1' }),
      buildLogEntry({ pageId: 'page-2', outcome: 'failed', success: false, errorCode: 'META_PAGE_LOST' }),
    ])
    const stats = await log.stats({ since: AT, topFailures: 9 })
    expect(stats.counts).toStrictEqual([
      { refreshType: 'manual', ofPages: false, total: 2, successful: 0 },
      { refreshType: 'on_demand', ofPages: false, total: 1, successful: 0 },
      { refreshType: 'scheduled', ofPages: false, total: 4, successful: 2 },
      { refreshType: 'scheduled', ofPages: true, total: 2, successful: 1 },
    ])
    const failures = [
      { outcome: 'ambiguous', errorCode: 'PROVIDER_TIMEOUT', count: 3, lastAt: AT + 9 },
      { outcome: 'dead', errorCode: 'META_TOKEN_EXPIRED', count: 1, lastAt: AT },
      { outcome: 'failed', errorCode: 'META_PAGE_LOST', count: 1, lastAt: AT },
      { outcome: 'interrupted', errorCode: null, count: 1, lastAt: AT },
    ]
    expect(stats.failures).toStrictEqual(failures)
    expect((await log.stats({ since: AT, topFailures: 2 })).failures).toStrictEqual(failures.slice(0, 2))
    expect(await log.stats({ since: AT + 10, topFailures: 2 })).toStrictEqual({ counts: [], failures: [] })
  })

  test('the log lists an account without its Pages', async () => {
    await using fixture = await open()
    const { log } = fixture.store
    const own = buildLogEntry({ refreshedAt: AT })
    const { accountId } = own
    const ofPages = Array.from({ length: 5 }, (_, i) =>
      buildLogEntry({ id: `${own.id}:page-${i}`, accountId, pageId: `page-${i}`, refreshedAt: AT + 1 }),
    )
    await log.put([own, ...ofPages, buildLogEntry()])
    expect(await log.list({ accountId, pageId: null, limit: 3 })).toStrictEqual([own])
    expect(await log.list({ accountId, limit: 9 })).toHaveLength(6)
  })
}
