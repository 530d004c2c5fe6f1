import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Account, makeId, systemClock } from '@tokenkeeper/core'
import { buildAccount } from '@tokenkeeper/store/build-account'
import { createClockFile, tempDir } from '@tokenkeeper/testkit'
import { expect, test } from 'vitest'
import { createSpool, openCredential } from '../src/index.ts'
import { type Actor, createActor } from './support/actor.ts'
import { buildResult } from './support/build-result.ts'
import { readRecords } from './support/read-records.ts'
import { newKey } from './support/storage.ts'

/** Engines on one database and one spool directory, each with its own keys; no provider is needed. */
async function stage() {
  const stack = new AsyncDisposableStack()
  const temp = stack.use(await tempDir())
  const clockFile = stack.use(createClockFile(join(temp.path, 'clock')))
  const lines: string[] = []
  const scene = { dir: temp.path, keys: '', clockFile: clockFile.path, plcUrl: 'http://localhost:1', hosts: [] }
  return {
    lines,
    spoolDir: join(temp.path, 'spool'),
    journalDir: join(temp.path, 'data', 'journal'),
    actor: (keys: string) => stack.use(createActor(scene, { keys, log: { write: (line) => lines.push(line) } })),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** An account whose successor lies in a dead sibling's spool, sealed by the actor's key. */
async function leaveSuccessor(
  { store, sealer }: Actor,
  dir: string,
  change: object = {},
  stands: Partial<Account> = {},
): Promise<Account> {
  const account = buildAccount(stands)
  await store.accounts.insert(account)
  const successor = JSON.stringify({ accessToken: 'access-2', refreshToken: 'refresh-2' })
  const spool = createSpool({ dir, clock: systemClock })
  await spool.put(
    buildResult({
      accountId: account.id,
      connectId: account.connectId,
      ...sealer.seal(successor, account.id, 'credential'),
      ...change,
    }),
  )
  spool[Symbol.dispose]()
  return account
}

test('a replay leaves a record whose key is missing, lands the others, and lands it once the key is back', async () => {
  await using s = await stage()
  const [first, second] = [newKey('k1'), newKey('k2')]
  const account = await leaveSuccessor(s.actor(first), s.spoolDir)
  const { engine, store } = s.actor(second)
  const other = await leaveSuccessor(s.actor(second), s.spoolDir)

  expect(await engine.replaySpools()).toBe(1)
  expect((await store.accounts.get(other.id))?.generation).toBe(2)
  expect(await store.accounts.get(account.id)).toStrictEqual(account)
  expect(s.lines.filter((line) => line.includes('KEY_MISSING'))).toHaveLength(1)
  expect(readdirSync(s.spoolDir)).toHaveLength(1)

  const both = s.actor(`${second},${first}`)
  expect(await both.engine.replaySpools()).toBe(1)
  const landed = await store.accounts.get(account.id)
  expect(landed).toMatchObject({ generation: 2, keyId: 'k1', previousCredential: account.sealedCredential })
  expect(openCredential(both.sealer, account.id, landed?.sealedCredential ?? '').refreshToken).toBe('refresh-2')
  expect(readdirSync(s.spoolDir)).toEqual([])
})

test('a replay leaves and names what it cannot read: damaged files, other versions, answers of another account', async () => {
  await using s = await stage()
  const actor = s.actor(newKey('k1'))
  const { engine, store, sealer } = actor
  const later = await leaveSuccessor(actor, s.spoolDir, { version: 2 })
  const swapped = await leaveSuccessor(actor, s.spoolDir, sealer.seal('{}', makeId(), 'credential'))
  const garbage = `1-${makeId()}.db`
  writeFileSync(join(s.spoolDir, garbage), 'garbage')
  const good = await leaveSuccessor(actor, s.spoolDir)

  expect(await engine.replaySpools()).toBe(1)
  expect((await store.accounts.get(good.id))?.generation).toBe(2)
  for (const untouched of [later, swapped]) {
    expect(await store.accounts.get(untouched.id)).toStrictEqual(untouched)
  }
  const alarms = s.lines.map((line) => JSON.parse(line)).filter(({ level }) => level >= 50)
  expect(alarms).toHaveLength(3)
  expect(alarms.filter(({ record }) => record === garbage)).toHaveLength(1)
  expect(alarms.filter(({ code }) => code === 'SEALED_VALUE_CORRUPT')).toHaveLength(1)
  expect(readdirSync(s.spoolDir)).toHaveLength(3)
})

test('two replays at once land each record once', async () => {
  await using s = await stage()
  const keys = newKey('k1')
  const [one, other] = [s.actor(keys), s.actor(keys)]
  const accounts: Account[] = []
  for (let count = 0; count < 20; count++) accounts.push(await leaveSuccessor(one, s.spoolDir))
  const landed = await Promise.all([one.engine.replaySpools(), other.engine.replaySpools()])
  expect(landed[0] + landed[1]).toBe(20)
  for (const { id } of accounts) {
    expect((await one.store.accounts.get(id))?.generation).toBe(2)
    expect(await one.store.log.list({ accountId: id, limit: 10 })).toMatchObject([{ outcome: 'refreshed' }])
  }
  expect(readdirSync(s.spoolDir)).toEqual([])
})

test('what a replay brings in is journaled, also where the commit was in already', async () => {
  await using s = await stage()
  const actor = s.actor(newKey('k1'))
  const attempt = buildResult().attempt
  const committed = { lastAttempt: { id: attempt.id, outcome: 'refreshed', generation: 3, at: 1 } } as const
  const landing = await leaveSuccessor(actor, s.spoolDir)
  const landed = await leaveSuccessor(actor, s.spoolDir, { attempt, generation: 1 }, { ...committed, generation: 4 })
  expect(await actor.engine.replaySpools()).toBe(2)
  await actor.engine[Symbol.asyncDispose]()
  const records = await readRecords(s.journalDir)
  const generationOf = ({ id }: Account) =>
    records.flatMap((it) => (it?.kind === 'refreshed' && it.result.accountId === id ? [it.result.generation] : []))
  expect([generationOf(landing), generationOf(landed)]).toEqual([[1], [3]])
})
