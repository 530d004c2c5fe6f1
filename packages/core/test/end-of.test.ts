import { expect, test } from 'vitest'
import { endOf } from '../src/index.ts'

test.each([
  [null, null, null],
  [5, null, { at: 5, by: 'token' }],
  [null, 5, { at: 5, by: 'data_access' }],
  [5, 7, { at: 5, by: 'token' }],
  [7, 5, { at: 5, by: 'data_access' }],
  [5, 5, { at: 5, by: 'token' }],
] as const)('a token that ends at %s and a consent that ends at %s: %o', (diesAt, dataAccessExpiresAt, end) => {
  expect(endOf({ diesAt, dataAccessExpiresAt })).toEqual(end)
})
