import { expect, test } from 'vitest'
import { recoverySeconds } from '../src/verdict/recovery.ts'
import { begins, createRecord, refreshJwt, write } from './world.ts'

const DIED = { killed: true, diedAt: 1_000 }

test('from the death to the next presentation by another', async () => {
  await using record = await createRecord({
    dead: begins(0, 'one', 'A', 500),
    heir: begins(0, 'two', 'A', 9_000, 'one'),
  })
  Object.assign(record.fleet.members.get('dead')!, DIED)
  record.sessions.addLogin(refreshJwt('A'))
  record.present('A', 600)
  record.present('A', 9_500)
  expect(recoverySeconds(record, 0, 60_000)).toEqual([8.5])
})

test('what nobody has presented again counts up to now', async () => {
  await using record = await createRecord({ dead: begins(0, 'one', 'A', 500) })
  Object.assign(record.fleet.members.get('dead')!, DIED)
  expect(recoverySeconds(record, 0, 61_000)).toEqual([60])
})

test('what had lost its place before the death needs none', async () => {
  await using record = await createRecord({
    dead: begins(0, 'one', 'A', 500),
    heir: begins(0, 'two', 'A', 900, 'one'),
  })
  const dead = record.fleet.members.get('dead')!
  Object.assign(dead, DIED)
  dead.stops.push({ from: 600, to: 950 })
  expect(recoverySeconds(record, 0, 60_000)).toEqual([])
})

test.each(['refreshed', 'superseded', 'removed'] as const)('what others ended as %s needs none', async (outcome) => {
  await using record = await createRecord({
    dead: begins(0, 'one', 'A', 500),
    heir: write(0, 5_000, { standing: 'one', ends: { id: 'one', outcome } }),
  })
  Object.assign(record.fleet.members.get('dead')!, DIED)
  expect(recoverySeconds(record, 0, 60_000)).toEqual([])
})
