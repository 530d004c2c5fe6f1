import { CodedError, systemClock } from '@tokenkeeper/core'
import { expect, test } from 'vitest'
import { withinDeadline } from '../src/deadline.ts'

test('passes on what the work yields', async () => {
  await expect(withinDeadline(systemClock, async () => 7)).resolves.toBe(7)
})

test('a mistake of ours is not taken for an outage', async () => {
  const mistake = new Error('Priority should be between 0 and 2097151')
  await expect(withinDeadline(systemClock, () => Promise.reject(mistake))).rejects.toBe(mistake)
  const coded = new CodedError('STORE_UNAVAILABLE')
  await expect(withinDeadline(systemClock, () => Promise.reject(coded))).rejects.toBe(coded)
})

test.each([
  Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:6379'), { code: 'ECONNREFUSED' }),
  Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }),
  new Error('Connection is closed.'),
  new Error('Command timed out'),
  new Error("Stream isn't writeable and enableOfflineQueue options is false"),
  new Error('LOADING Redis is loading the dataset in memory'),
  new Error("OOM command not allowed when used memory > 'maxmemory'."),
])('%s is an outage', async (error) => {
  const expected = { code: 'REDIS_UNAVAILABLE', cause: error, message: 'Redis cannot be reached.' }
  await expect(withinDeadline(systemClock, () => Promise.reject(error))).rejects.toMatchObject(expected)
})
