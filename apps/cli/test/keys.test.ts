import { join } from 'node:path'
import { DAY, makeId, pageIdOf, systemClock } from '@tokenkeeper/core'
import { createSpool } from '@tokenkeeper/engine'
import { parseKeyRing } from '@tokenkeeper/store'
import { buildPage } from '@tokenkeeper/store/build-account'
import { createSecretSearch, mongoForTests, spawnNode, until } from '@tokenkeeper/testkit'
import { afterAll, describe, expect, test } from 'vitest'
import { keysRotateJson, keysStatusJson } from '../src/json/keys.ts'
import { keyStatus } from '../src/keys/key-status.ts'
import { lastLine, MAIN } from './cli.ts'
import { buildSealed, createKeysWorld, newKey, sealerOf } from './keys-world.ts'
import { successor, writeSpool } from './restore-world.ts'

const HOST = 'http://localhost:1'
const [OLD, NEW] = [newKey('old'), newKey('new')]
const BOTH = `${NEW},${OLD}`
const UNUSED = { current: 0, previous: 0, former: 0, appPasswords: 0, pages: 0, spooled: 0, journaled: 0 }

const mongo = await mongoForTests('keys on MongoDB')
if (mongo) afterAll(() => mongo[Symbol.asyncDispose]())
const stores = [['SQLite', {}] as const, ...(mongo ? [['MongoDB', { mongo }] as const] : [])]

describe.each(stores)('on %s', (_name, options) => {
  test('status counts what each key seals, names one that is missing, and says which may be dropped', async () => {
    await using world = await createKeysWorld(options)
    const { store } = await world.open(OLD)
    const [old, lost] = [sealerOf(OLD), sealerOf(newKey('lost'))]
    const former = { ...old.seal('{}', 'x', 'credential'), until: Date.now() + DAY }
    await store.accounts.insert(buildSealed(old, HOST, { formerCredentials: [former, former] }))
    await store.accounts.insert(buildSealed(old, HOST, { previousCredential: 'x', previousKeyId: 'old' }))
    await store.accounts.insert(buildSealed(lost, HOST, { sealedAppPassword: 'x', appPasswordKeyId: 'old' }))
    await store.pages.put([buildPage({ keyId: 'old' })])

    const keys = `${NEW},${OLD},${newKey('spare')}`
    const status = await world.run(keys, 'keys', 'status', '--json')
    expect(keysStatusJson.parse(JSON.parse(status.stdout))).toEqual([
      { ...UNUSED, keyId: 'new', state: 'seals', mayBeDropped: false, journaledUntil: null },
      {
        ...UNUSED,
        keyId: 'old',
        state: 'opens',
        current: 2,
        previous: 1,
        former: 2,
        appPasswords: 1,
        pages: 1,
        mayBeDropped: false,
        journaledUntil: null,
      },
      { ...UNUSED, keyId: 'spare', state: 'opens', mayBeDropped: true, journaledUntil: null },
      { ...UNUSED, keyId: 'lost', state: 'missing', current: 1, mayBeDropped: false, journaledUntil: null },
    ])
    expect(status.code).toBe(1)
    const shown = await world.run(keys, 'keys')
    expect(shown.stdout).toMatch(/^old +opens +2 +3 +1 +1 +0 +0$/m)
    expect(shown.stdout).toMatch(/^lost is in use and not in the ring: .*TOKEN_ENCRYPTION_KEYS/m)
    expect(shown.stdout).toMatch(/^old must stay in the ring: the database uses it\. `tokenkeeper keys rotate`/m)
    expect(shown.stdout).toMatch(/^spare may be dropped/m)
    const secrets = keys.split(',').map((key) => key.split(':')[1]!)
    expect(createSecretSearch(secrets).search(shown.stdout + status.stdout, 'output')).toEqual([])
  })

  test('rotate seals all that opens, tells what does not, and goes on where it was stopped', async () => {
    await using world = await createKeysWorld(options)
    const { store } = await world.open(OLD)
    const [old, lost] = [sealerOf(OLD), sealerOf(newKey('lost'))]
    const accounts = Array.from({ length: 600 }, () => buildSealed(old, HOST))
    const broken = buildSealed(lost, HOST)
    const withPages = buildSealed(sealerOf(BOTH), HOST, { pagesGeneration: 1 })
    await Promise.all([...accounts, broken, withPages].map((account) => store.accounts.insert(account)))
    const [externalId, accountId] = ['page-1', withPages.id]
    const token = old.seal('page-token', pageIdOf(accountId, externalId), 'page_token')
    await store.pages.put([buildPage({ accountId, externalId, sealedToken: token.sealed, keyId: 'old' })])

    const rotated = await world.run(BOTH, 'keys', 'rotate', '--json')
    expect(rotated.code).toBe(1)
    const summary = keysRotateJson.parse(JSON.parse(lastLine(rotated.stdout)))
    expect(summary).toMatchObject({ resealed: 601, failed: 1, interrupted: false })
    expect(summary.failures).toEqual([{ accountId: broken.id, code: 'KEY_MISSING' }])
    expect(summary.keys).toMatchObject([
      { keyId: 'new', current: 601, pages: 1 },
      { keyId: 'old', current: 0, pages: 0, mayBeDropped: true },
      { keyId: 'lost', state: 'missing', current: 1 },
    ])
    const again = await world.run(BOTH, 'keys', 'rotate')
    expect(again.stdout).toMatch(/^Sealed 0 accounts with new; 1 failed\.$/m)
    const sealer = sealerOf(NEW)
    for (const { id } of accounts.slice(0, 10)) {
      const account = await store.accounts.get(id)
      expect(sealer.open(account!.sealedCredential, id, 'credential')).toContain('accessToken')
    }
  })
})

test('a key stays in use by the spool, then by the journal, until its files are old enough', async () => {
  await using world = await createKeysWorld()
  const { store } = await world.open(OLD)
  const old = sealerOf(OLD)
  const account = buildSealed(old, HOST)
  await store.accounts.insert(account)
  const spool = createSpool({ dir: join(world.dataDir, 'spool'), clock: systemClock })
  const attempt = { id: makeId(), refreshType: 'scheduled', beganAt: 1, presentedDigest: 'x', workerId: 'w' } as const
  await spool.put({
    version: 1,
    accountId: account.id,
    generation: 1,
    connectId: account.connectId,
    attempt,
    ...old.seal('{"accessToken":"a","refreshToken":"b"}', account.id, 'credential'),
    accessExpiresAt: 1,
    diesAt: 2,
    oldExpiresAt: 0,
    nextRefreshAt: Date.now() + DAY,
    answeredAt: 1,
    note: null,
  })
  const statusOf = async (keyId: string) => {
    const keys = keysStatusJson.parse(JSON.parse((await world.run(BOTH, 'keys', 'status', '--json')).stdout))
    return keys.find((key) => key.keyId === keyId)
  }
  // Its owner lives, and keeps it locked.
  expect(await statusOf('old')).toMatchObject({ spooled: 1, journaled: 0, current: 1 })
  spool[Symbol.dispose]()
  expect((await world.run(BOTH, 'keys', 'rotate')).code).toBe(0)
  const status = await statusOf('old')
  expect(status).toMatchObject({ spooled: 0, current: 0, previous: 0, journaled: 1, mayBeDropped: false })
  const tomorrow = Math.ceil((Date.now() + 1) / DAY) * DAY
  expect(Date.parse(status!.journaledUntil!)).toBe(tomorrow + 30 * DAY)
  expect((await world.run(BOTH, 'keys')).stdout).toMatch(
    /^old must stay in the ring: the journal uses it until \d{4}-/m,
  )
})

test('Ctrl-C stops a rotation between two accounts', async () => {
  await using world = await createKeysWorld()
  const { store } = await world.open(OLD)
  const old = sealerOf(OLD)
  const accounts = Array.from({ length: 8_000 }, () => buildSealed(old, HOST))
  await Promise.all(accounts.map((account) => store.accounts.insert(account)))
  const env = { ...world.env, TOKEN_ENCRYPTION_KEYS: BOTH }
  await using rotation = spawnNode(MAIN, { args: ['keys', 'rotate', '--json'], cwd: world.dir, env })
  const sealedBy = async (id: string) => (await store.accounts.countKeys()).find(({ keyId }) => keyId === id)?.current
  await until(() => sealedBy('new'), { what: 'the rotation to begin', everyMs: 1 })
  rotation.kill('SIGINT')
  expect(await rotation.exited).toEqual({ code: 130, signal: null })
  const { interrupted, resealed } = keysRotateJson.parse(JSON.parse(rotation.stdoutLines.at(-1)!))
  expect([interrupted, resealed]).toEqual([true, await sealedBy('new')])
  expect(resealed).toBeLessThan(8_000)
})

test('an answer that lands while keys are counted is counted', async () => {
  await using world = await createKeysWorld()
  const { store, engine, config } = await world.open(BOTH)
  const account = buildSealed(sealerOf(NEW), HOST)
  await store.accounts.insert(account)
  await writeSpool(join(world.dataDir, 'spool'), [successor(account, 2, OLD)])
  const countKeys = async () => {
    const counts = await store.accounts.countKeys()
    await engine.replaySpools()
    return counts
  }
  const landing = { ...store, accounts: { ...store.accounts, countKeys } }
  const old = (await keyStatus(parseKeyRing(BOTH), landing, config)).find(({ keyId }) => keyId === 'old')
  expect(old).toMatchObject({ spooled: 1, mayBeDropped: false })
})

test('where there is no database, no key may be dropped', async () => {
  await using world = await createKeysWorld()
  const status = await world.run(BOTH, 'keys', 'status', '--json')
  expect(keysStatusJson.parse(JSON.parse(status.stdout)).map(({ mayBeDropped }) => mayBeDropped)).toEqual([
    false,
    false,
  ])
  const shown = await world.run(BOTH, 'keys')
  expect(shown.stdout).toMatch(/^old must stay in the ring: no database was found/m)
  expect(shown.stdout).toMatch(/^No database was found: DATABASE_URL/m)
})

test('where there is nothing yet, looking makes nothing', async () => {
  await using world = await createKeysWorld()
  const { code, stdout } = await world.run('', 'keys', 'status')
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^No keys yet/)])
})
