import { expect, test } from 'vitest'
import { countOverwrittenNewer } from '../src/verdict/credentials.ts'
import { weighSpending } from '../src/verdict/double-spends.ts'
import { ACCOUNT, begins, createRecord, refreshJwt, write } from './world.ts'

type Record = Awaited<ReturnType<typeof createRecord>>

/** A was presented and B committed at 10; B was presented and C committed at 40. */
function chain(record: Record) {
  record.sessions.addLogin(refreshJwt('A'))
  record.rotate('A', 'B')
  record.rotate('B', 'C')
  return storing(record, [
    ['A', 0],
    ['B', 10],
    ['C', 40],
  ])
}

function storing({ sessions }: Record, tokens: readonly (readonly [jti: string, at: number])[]) {
  return new Map([[ACCOUNT, tokens.map(([jti, at]) => ({ at, token: sessions.byJti(jti)! }))]])
}

const NONE = { latePresentations: 0, witnesses: 0, doubleSpends: 0 }
const committed = (n: number, id: string, at: number) =>
  write(n, at, { standing: id, ends: { id, outcome: 'refreshed' } })

test('a token before its successor was committed, and one whose answer was lost, presented again', async () => {
  await using record = await createRecord({ worker: [...begins(0, 'one', 'A', 1), ...committed(1, 'one', 10)] })
  const stored = chain(record)
  record.present('A', 2)
  record.present('A', 9)
  expect(weighSpending(record, stored)).toEqual(NONE)
})

test('by an attempt that began before the commit: late, but once only', async () => {
  await using record = await createRecord({
    slow: begins(0, 'slow', 'A', 1),
    worker: [...begins(0, 'one', 'A', 5, 'slow'), ...committed(1, 'one', 10)],
  })
  const stored = chain(record)
  record.present('A', 12)
  expect(weighSpending(record, stored)).toEqual({ ...NONE, latePresentations: 1 })
  record.present('A', 13)
  expect(weighSpending(record, stored)).toEqual({ ...NONE, latePresentations: 1, doubleSpends: 1 })
})

test('by one that began after it, that had ended before it, or whose process was dead: a double spend', async () => {
  await using record = await createRecord({
    dead: begins(0, 'dead', 'A', 1),
    worker: [...begins(0, 'one', 'A', 5, 'dead'), ...committed(1, 'one', 10), ...begins(2, 'two', 'A', 15)],
  })
  Object.assign(record.fleet.members.get('dead')!, { killed: true, diedAt: 2 })
  const stored = chain(record)
  record.present('A', 5_000)
  expect(weighSpending(record, stored)).toEqual({ ...NONE, doubleSpends: 1 })
})

test('each presentation takes an attempt, also one before the commit', async () => {
  await using record = await createRecord({
    slow: begins(0, 'slow', 'A', 1),
    worker: [...begins(0, 'one', 'A', 5, 'slow'), ...committed(1, 'one', 10)],
  })
  const stored = chain(record)
  record.present('A', 3)
  record.present('A', 6)
  record.present('A', 12)
  expect(weighSpending(record, stored)).toEqual({ ...NONE, doubleSpends: 1 })
})

test('an attempt that nobody saw begin excuses nothing', async () => {
  const [sent] = begins(0, 'unknown', 'A', 1)
  await using record = await createRecord({
    slow: [sent!],
    worker: [...begins(0, 'one', 'A', 5), ...committed(1, 'one', 10)],
  })
  const stored = chain(record)
  record.present('A', 12)
  expect(weighSpending(record, stored)).toEqual({ ...NONE, doubleSpends: 1 })
})

test('an attempt is over when its commit was refused, or after 30 s, not counted while it was stopped', async () => {
  const [sent] = write(1, 11, { ends: { id: 'slow', outcome: 'refreshed' }, stores: { sealed: 'B' } })
  const refused = { kind: 'acknowledged', n: 1, at: 12, applied: false } as const
  const worker = [...begins(0, 'one', 'A', 5, 'slow'), ...committed(1, 'one', 10)]
  await using fenced = await createRecord({ slow: [...begins(0, 'slow', 'A', 1), sent!, refused], worker })
  const stored = chain(fenced)
  fenced.present('A', 13)
  expect(weighSpending(fenced, stored)).toEqual({ ...NONE, doubleSpends: 1 })

  await using late = await createRecord({ slow: begins(0, 'slow', 'A', 1), worker })
  chain(late)
  late.present('A', 40_000)
  expect(weighSpending(late, stored)).toEqual({ ...NONE, doubleSpends: 1 })
  late.fleet.members.get('slow')!.stops.push({ from: 2, to: 20_000 })
  expect(weighSpending(late, stored)).toEqual({ ...NONE, latePresentations: 1 })
})

test('the previous token, after the stored one was called dead: a witness; without that: a double spend', async () => {
  await using record = await createRecord({
    worker: [...begins(0, 'one', 'A', 1), ...committed(1, 'one', 10), ...begins(2, 'two', 'B', 20)],
  })
  const stored = chain(record)
  record.present('A', 22)
  expect(weighSpending(record, stored)).toEqual({ ...NONE, doubleSpends: 1 })
  record.proxy.requests.pop()
  record.present('B', 21, 400)
  record.present('A', 22, 400)
  expect(weighSpending(record, stored)).toEqual({ ...NONE, witnesses: 1 })
  record.present('A', 23, 400)
  expect(weighSpending(record, stored)).toEqual({ ...NONE, witnesses: 1, doubleSpends: 1 })
})

test('a credential may be followed by itself, its successor or a later login; by nothing else', async () => {
  await using record = await createRecord({})
  chain(record)
  record.sessions.addLogin(refreshJwt('L'))
  const count = (...jtis: string[]) =>
    countOverwrittenNewer(
      record,
      storing(
        record,
        jtis.map((jti, at) => [jti, at] as const),
      ),
    )
  expect(count('A', 'A', 'B', 'B', 'C', 'L')).toBe(0)
  expect(count('A', 'B', 'A')).toBe(1)
  expect(count('A', 'B', 'C', 'B')).toBe(1)
  expect(count('A', 'L', 'B')).toBe(1)
  expect(count('L', 'A')).toBe(1)
})
