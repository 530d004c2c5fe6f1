import { DAY } from '@tokenkeeper/core'
import { expect, test } from 'vitest'
import { whatIsWrong } from '../src/verdict/last-week.ts'

const NOW = 100 * DAY
const fine = { id: 'a', status: 'active', generation: 4, nextRefreshAt: NOW + 6 * DAY } as const

test('an account has to be active, refreshed in the last week, and to fall due again', () => {
  const judged = (change: Partial<Parameters<typeof whatIsWrong>[0]>) =>
    whatIsWrong({ ...fine, ...change }, new Map([['a', 3]]), NOW)
  expect(judged({})).toBeNull()
  expect(judged({ status: 'needs_reconnect' })).toBe('is needs_reconnect')
  expect(judged({ generation: 3 })).toBe('was not refreshed in the last week')
  expect(judged({ nextRefreshAt: Number.MAX_SAFE_INTEGER })).toBe('does not fall due again')
})
