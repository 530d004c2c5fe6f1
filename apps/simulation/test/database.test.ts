import { buildAccount } from '@tokenkeeper/store/build-account'
import { expect, test } from 'vitest'
import { createDatabase, type Watch } from '../src/store/database.ts'

const INSERT = { name: 'insert' }

function open(watch?: Watch) {
  const database = createDatabase(watch)
  const ends: boolean[] = []
  const insert = (id: string) =>
    database.apply(
      { ...INSERT, accountId: id },
      ({ accounts }) => void accounts.set(id, buildAccount({ id })),
      (durable) => ends.push(durable),
    )
  const ids = () => ({
    primary: [...database.primary.accounts.keys()],
    majority: [...database.majority.accounts.keys()],
  })
  return { database, insert, ids, ends }
}

test('a change is at the primary first, and durable when it is replicated', () => {
  const seen: string[] = []
  const { database, insert, ids, ends } = open(({ name }, before, after) => seen.push(`${name} ${before} ${after?.id}`))
  insert('a')
  insert('b')
  expect(ids()).toEqual({ primary: ['a', 'b'], majority: [] })
  database.replicate(1)
  expect(ids()).toEqual({ primary: ['a', 'b'], majority: ['a'] })
  expect([ends, database.ahead, seen]).toEqual([[true], 1, ['insert null a']])
})

test('what the primary alone has is gone when it fails over, and its callers are told', () => {
  const { database, insert, ids, ends } = open()
  insert('a')
  database.replicate()
  insert('b')
  database.failOver()
  expect(ids()).toEqual({ primary: ['a'], majority: ['a'] })
  expect(ends).toEqual([true, false])
  insert('c')
  database.replicate()
  expect(ids().majority).toEqual(['a', 'c'])
})

test('a change that throws changes nothing, anywhere', () => {
  const { database, ids } = open()
  const refuse = () => {
    throw new Error('refused')
  }
  expect(() => database.apply(INSERT, refuse, () => {})).toThrow('refused')
  database.replicate()
  expect([ids(), database.ahead]).toEqual([{ primary: [], majority: [] }, 0])
})
