import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { tempDir } from '@tokenkeeper/testkit'
import { expect, test } from 'vitest'
import { tailJournals } from '../src/journal/tail.ts'
import { interrupted } from '../src/verdict/interruptions.ts'
import { ACCOUNT, begins, createRecord, write } from './world.ts'

test('a line that a death cut short is left out, and what others write is not', async () => {
  await using dir = await tempDir()
  const tail = tailJournals(dir.path)
  const fired = (at: number) => JSON.stringify({ kind: 'fired', at, point: 'begin.acked', gathered: 1 })
  appendFileSync(join(dir.path, 'worker-1.jsonl'), `${fired(1)}\n${fired(2).slice(0, 9)}`)
  expect(tail().map(({ at, by }) => ({ at, by }))).toEqual([{ at: 1, by: 'worker-1' }])
  appendFileSync(join(dir.path, 'worker-2.jsonl'), `${fired(3)}\n`)
  expect(tail().map(({ at, by }) => ({ at, by }))).toEqual([{ at: 3, by: 'worker-2' }])
  appendFileSync(join(dir.path, 'worker-1.jsonl'), `${fired(2).slice(9)}\n`)
  expect(tail().map(({ at }) => at)).toEqual([2])
})

test('whether an attempt began is certain only when its write was acknowledged, or it was seen to stand', async () => {
  const [sent] = begins(0, 'one', 'A', 1)
  const [other] = begins(1, 'two', 'A', 2)
  const seen = { kind: 'seen', at: 3, accountId: ACCOUNT, attemptId: 'two', last: null, sealedEnd: '' } as const
  await using record = await createRecord({ 'worker-1': [sent!, other!, seen] })
  const certain = [...record.history.attempts.values()].map(({ id, certain }) => ({ id, certain }))
  expect(certain).toEqual([
    { id: 'one', certain: false },
    { id: 'two', certain: true },
  ])
})

test('an attempt is interrupted if its process was killed before its own end, or stood still while it was displaced', async () => {
  const ended = (n: number, id: string, at: number) => write(n, at, { standing: id, ends: { id, outcome: 'failed' } })
  await using record = await createRecord({
    killed: [...begins(0, 'ended', 'A', 1), ...ended(1, 'ended', 2), ...begins(2, 'killed', 'A', 3)],
    stopped: begins(0, 'stopped', 'A', 3),
    alive: [...begins(0, 'taker', 'A', 20, 'stopped'), ...ended(1, 'taker', 21)],
  })
  Object.assign(record.fleet.members.get('killed')!, { killed: true, diedAt: 4 })
  record.fleet.members.get('stopped')!.stops.push({ from: 5, to: 30 })
  expect(interrupted(record.history, record.fleet).map(({ id }) => id)).toEqual(['killed', 'stopped'])
})

test('what had ended, or lost its place, before its process was killed or stopped was not interrupted', async () => {
  const ended = (n: number, id: string, at: number) => write(n, at, { standing: id, ends: { id, outcome: 'failed' } })
  await using record = await createRecord({
    killed: begins(0, 'displaced', 'A', 1),
    stopped: [...begins(0, 'ended', 'B', 1), ...ended(1, 'ended', 2), ...begins(2, 'both', 'C', 3)],
    alive: [...begins(0, 'taker', 'A', 3, 'displaced'), ...begins(1, 'late', 'B', 12, 'ended')],
    heir: begins(0, 'heir', 'C', 12, 'both'),
  })
  Object.assign(record.fleet.members.get('killed')!, { killed: true, diedAt: 4 })
  const stopped = record.fleet.members.get('stopped')!
  stopped.stops.push({ from: 5, to: 30 })
  expect(interrupted(record.history, record.fleet).map(({ id }) => id)).toEqual(['both'])
  // Who was killed later had been stopped all the same.
  Object.assign(stopped, { killed: true, diedAt: 40 })
  expect(interrupted(record.history, record.fleet).map(({ id }) => id)).toEqual(['both'])
})

test('an attempt whose successor was replayed for it was interrupted all the same', async () => {
  const replayed = { standing: 'killed', ends: { id: 'killed', outcome: 'refreshed' } } as const
  await using record = await createRecord({
    killed: begins(0, 'killed', 'A', 3),
    heir: write(0, 9, replayed),
  })
  Object.assign(record.fleet.members.get('killed')!, { killed: true, diedAt: 4 })
  expect(interrupted(record.history, record.fleet)).toMatchObject([{ id: 'killed', end: { by: 'heir' } }])
})
