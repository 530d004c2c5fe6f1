import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Account, type AuditEntry, makeId, systemClock } from '@tokenkeeper/core'
import { createSealer, parseKeyRing } from '@tokenkeeper/store'
import { AT, buildAccount, buildAttempt } from '@tokenkeeper/store/build-account'
import { createLoggers } from '@tokenkeeper/telemetry'
import { tempDir } from '@tokenkeeper/testkit'
import { expect, test } from 'vitest'
import { createJournal, createSpool } from '../src/index.ts'
import type { JournalRecord } from '../src/journal/journal.ts'
import type { RefreshResult } from '../src/result.ts'
import { type Actor, createActor } from './support/actor.ts'
import { buildResult } from './support/build-result.ts'
import { newKey } from './support/storage.ts'

const KEYS = newKey('k1')
const sealer = createSealer(parseKeyRing(KEYS))

/** Sealed tokens that name account and generation. */
function sealedOf(accountId: string, generation: number) {
  const credential = { accessToken: `access-${generation}`, refreshToken: `refresh-${generation}` }
  return sealer.seal(JSON.stringify(credential), accountId, 'credential')
}

/** As it was at the time of the backup, with a credential that opens. */
function oldAccount(overrides: Partial<Account> = {}): Account {
  const account = buildAccount({ keyId: 'k1', ...overrides })
  return { ...account, sealedCredential: sealedOf(account.id, account.generation).sealed }
}

/** What the journal holds of the commit that made this generation. */
function successor({ id, connectId }: Account, generation: number, overrides: Partial<RefreshResult> = {}) {
  const sealed = sealedOf(id, generation)
  const result = { accountId: id, connectId, generation: generation - 1, ...sealed, ...overrides }
  return { kind: 'refreshed', result: buildResult(result) } as const satisfies JournalRecord
}

function removal(accountId: string): JournalRecord {
  const audit: AuditEntry = { id: makeId(), accountId, action: 'account.removed', actor: 'test', detail: null, at: AT }
  return { kind: 'removed', audit }
}

async function stage() {
  const stack = new AsyncDisposableStack()
  const temp = stack.use(await tempDir())
  const scene = { dir: temp.path, keys: KEYS, clockFile: '', plcUrl: 'http://localhost:1', hosts: [] }
  const actor = stack.use(createActor(scene, { clock: systemClock }))
  const dir = join(temp.path, 'journal')
  const logger = createLoggers({ level: 'silent', format: 'json' })('journal')
  return {
    ...actor,
    actor: (keys: string): Actor => stack.use(createActor(scene, { clock: systemClock, keys })),
    dir,
    spoolDir: join(temp.path, 'spool'),
    /** The records in a file of a process of its own. */
    async write(...records: JournalRecord[]) {
      await using journal = createJournal({ dir, clock: systemClock, logger, keepMs: 1 })
      for (const record of records) journal.append(record)
    },
    insert: async (...accounts: Account[]) => {
      for (const account of accounts) await actor.store.accounts.insert(account)
    },
    restore: () => actor.engine.restoreFromJournal([dir]),
    read: async ({ id }: Account) => (await actor.store.accounts.get(id))!,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

const NOTHING = { refreshed: 0, connected: 0, removed: 0, unreadable: 0, unopened: 0, unknown: 0, taken: 0 }

test('the newest generation of the same login comes in, in whatever order its records are; doing it again changes nothing', async () => {
  await using s = await stage()
  const account = oldAccount({ generation: 5, previousCredential: 'v1.k1.older', previousKeyId: 'k1' })
  const ahead = oldAccount({ generation: 9 })
  await s.insert(account, ahead)
  await s.write(successor(account, 7), successor(account, 4), successor(ahead, 8), successor(ahead, 9))
  await s.write(successor(account, 8), successor(account, 6))
  expect(await s.restore()).toEqual({ ...NOTHING, files: 2, records: 6, refreshed: 1 })
  const { result } = successor(account, 8)
  const restored = await s.read(account)
  expect(restored).toMatchObject({
    generation: 8,
    keyId: 'k1',
    previousCredential: null,
    previousKeyId: null,
    accessExpiresAt: result.accessExpiresAt,
    diesAt: result.diesAt,
    lastRefreshedAt: result.answeredAt,
    nextRefreshAt: result.nextRefreshAt,
    outbox: [],
  })
  expect(sealer.open(restored.sealedCredential, account.id, 'credential')).toContain('refresh-8')
  expect(await s.read(ahead)).toStrictEqual(ahead)
  expect(await s.restore()).toEqual({ ...NOTHING, files: 2, records: 6 })
  expect(await s.read(account)).toStrictEqual(restored)
})

test('what stands in its way ends, and is told: an attempt, a death; a pause stays', async () => {
  await using s = await stage()
  const [live, own] = [buildAttempt(), buildAttempt()]
  const flying = oldAccount({ attempt: live })
  const landed = oldAccount({ attempt: own, status: 'paused' })
  const dead = oldAccount({ status: 'needs_reconnect', statusReason: 'BLUESKY_SESSION_EXPIRED' })
  await s.insert(flying, landed, dead)
  const attemptOf = ({ id, refreshType, beganAt, presentedDigest, workerId }: typeof own) => ({
    id,
    refreshType,
    beganAt,
    presentedDigest,
    workerId,
  })
  await s.write(successor(flying, 3), successor(landed, 2, { attempt: attemptOf(own) }), successor(dead, 2))
  expect(await s.restore()).toMatchObject({ refreshed: 3 })
  expect(await s.read(flying)).toMatchObject({ attempt: null, status: 'active' })
  expect(await s.read(landed)).toMatchObject({ attempt: null, status: 'paused' })
  expect(await s.read(dead)).toMatchObject({ status: 'active', statusReason: null })
  const outcomes = async ({ id }: Account) =>
    (await s.store.log.list({ accountId: id, limit: 9 })).map((entry) => [entry.id, entry.outcome])
  expect(await outcomes(flying)).toContainEqual([live.id, 'interrupted'])
  expect(await outcomes(flying)).toHaveLength(2)
  expect(await outcomes(landed)).toEqual([[own.id, 'refreshed']])
  const events = await s.store.events.list({ accountId: dead.id, limit: 9 })
  expect(events.map(({ type }) => type)).toEqual(['account.revived'])
})

test('a newer login comes in with what was refreshed by it; what belongs to a login that nobody knows is counted', async () => {
  await using s = await stage()
  const account = oldAccount({ generation: 3 })
  const other = oldAccount({ generation: 3 })
  await s.insert(account, other)
  const login = oldAccount({ ...account, connectId: 'newer', generation: 6 })
  await s.write(successor(login, 7), successor(account, 5), successor({ ...other, connectId: 'unknown' }, 5))
  await s.write({ kind: 'connected', account: login })
  expect(await s.restore()).toEqual({ ...NOTHING, files: 2, records: 4, connected: 1, refreshed: 1, unknown: 1 })
  expect(await s.read(account)).toMatchObject({ connectId: 'newer', generation: 7 })
  expect(await s.read(other)).toStrictEqual(other)
})

test('a spooled answer to a login that only the journal knows waits for it', async () => {
  await using s = await stage()
  const account = oldAccount({ generation: 5 })
  await s.insert(account)
  const login = oldAccount({ ...account, connectId: 'newer', generation: 6 })
  await s.write({ kind: 'connected', account: login })
  const spool = createSpool({ dir: s.spoolDir, clock: systemClock })
  await spool.put(successor(login, 7).result)
  spool[Symbol.dispose]()
  expect(await s.engine.replaySpools()).toBe(0)
  await s.restore()
  expect(await s.engine.replaySpools()).toBe(1)
  expect(await s.read(account)).toMatchObject({ connectId: 'newer', generation: 7 })
})

test('a spooled answer to a login that a later one took the place of is given up, also by a store that is older', async () => {
  await using s = await stage()
  const account = oldAccount({ generation: 5, connectId: 'latest', connectedAt: AT + 1_000 })
  await s.insert(account)
  const spool = createSpool({ dir: s.spoolDir, clock: systemClock })
  await spool.put(successor({ ...account, connectId: 'before' }, 7).result)
  spool[Symbol.dispose]()
  expect(await s.engine.replaySpools()).toBe(0)
  expect([...createSpool({ dir: s.spoolDir, clock: systemClock }).orphans()]).toEqual([])
  expect(await s.read(account)).toStrictEqual(account)
})

test('a login that was noted after it was refreshed does not stop the restore', async () => {
  await using s = await stage()
  const account = oldAccount({ generation: 5 })
  await s.insert(account)
  await s.write({ kind: 'connected', account: oldAccount({ ...account, generation: 6 }) }, successor(account, 6))
  expect(await s.restore()).toMatchObject({ connected: 0, refreshed: 1 })
  expect(await s.read(account)).toMatchObject({ connectId: account.connectId, generation: 6 })
})

test('an account that was connected since is back, one that was removed since is not, whatever spools hold', async () => {
  await using s = await stage()
  const removed = oldAccount()
  const shortLived = oldAccount()
  await s.insert(removed)
  const again = oldAccount({ externalId: removed.externalId })
  await s.write(successor(again, 2), { kind: 'connected', account: again }, successor(removed, 4))
  await s.write({ kind: 'connected', account: shortLived }, removal(removed.id), removal(shortLived.id))
  const counts = { ...NOTHING, files: 2, records: 6 }
  expect(await s.restore()).toEqual({ ...counts, removed: 1, connected: 1, refreshed: 1 })
  expect(await s.read(again)).toMatchObject({ generation: 2, status: 'active', outbox: [] })
  expect(await s.store.accounts.count({})).toBe(1)
  const audit = await s.store.audit.list({ accountId: again.id, limit: 9 })
  expect(audit.map(({ action, actor }) => [action, actor])).toEqual([['account.connected', 'restore']])
  expect(await s.store.audit.list({ accountId: removed.id, limit: 9 })).toHaveLength(1)
  expect(await s.restore()).toEqual(counts)
})

test('what cannot be used is left out and counted', async () => {
  await using s = await stage()
  const [locked, damaged, owner] = [oldAccount(), oldAccount(), oldAccount()]
  await s.insert(locked, damaged, owner)
  const foreign = createSealer(parseKeyRing(newKey('k2')))
  const sealed = foreign.seal('{"accessToken":"a","refreshToken":"b"}', locked.id, 'credential')
  await s.write(
    successor(locked, 2, sealed),
    successor(damaged, 2, { sealed: successor(locked, 2).result.sealed }),
    { kind: 'connected', account: oldAccount({ externalId: owner.externalId }) },
    successor(oldAccount(), 2),
  )
  const path = join(s.dir, readdirSync(s.dir)[0]!)
  writeFileSync(path, `not JSON\n${readFileSync(path, 'utf8')}`)
  appendFileSync(path, '{"v":1,"kind":"refr')
  const counts = { ...NOTHING, files: 1, records: 5, unreadable: 1, unopened: 2, unknown: 1, taken: 1 }
  expect(await s.restore()).toEqual(counts)
  for (const account of [locked, damaged, owner]) expect(await s.read(account)).toStrictEqual(account)
})

test('what was left out for its key comes in once the key is there', async () => {
  await using s = await stage()
  const account = oldAccount()
  await s.insert(account)
  const key = newKey('k2')
  const sealed = createSealer(parseKeyRing(key)).seal(
    '{"accessToken":"a","refreshToken":"b"}',
    account.id,
    'credential',
  )
  await s.write(successor(account, 2, sealed))
  expect(await s.restore()).toMatchObject({ refreshed: 0, unopened: 1 })
  expect(await s.actor(`${KEYS},${key}`).engine.restoreFromJournal([s.dir])).toMatchObject({
    refreshed: 1,
    unopened: 0,
  })
  expect(await s.read(account)).toMatchObject({ generation: 2, keyId: 'k2' })
})

test('tells how far it is', async () => {
  await using s = await stage()
  const account = oldAccount()
  await s.insert(account)
  await s.write(...Array.from({ length: 1_200 }, (_, i) => successor(account, i + 2)))
  const seen: (readonly [number, number | undefined])[] = []
  await s.engine.restoreFromJournal([s.dir], (done, total) => seen.push([done, total]))
  expect(seen.slice(0, 4)).toEqual([
    [500, undefined],
    [1_000, undefined],
    [1_200, undefined],
    [1_700, 3_600],
  ])
  expect(seen.at(-1)).toEqual([3_600, 3_600])
  expect(await s.read(account)).toMatchObject({ generation: 1_201 })
})
