import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { systemClock } from '@tokenkeeper/core'
import {
  createSecretSearch,
  instantSession,
  mongoForTests,
  type Pds,
  type RedisServer,
  redisAvailable,
  startPds,
  startRedis,
} from '@tokenkeeper/testkit'
import { MongoClient, ObjectId } from 'mongodb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { accountsImportJson } from '../src/json/accounts.ts'
import { makeDue } from '../src/sandbox/make-due.ts'
import { lastLine, MAIN } from './cli.ts'
import { openPlace, type Place, SILENT_HOST } from './place.ts'

const DID = 'did:plc:aaaaaaaaaaaaaaaaaaaaaa'
/** A session of an app, as a host gave it, and where. */
const sessionOf = (n: number) => ({
  ...instantSession(`${DID}${String(n).padStart(2, 'a')}`, n),
  service: `http://${SILENT_HOST}`,
})
const ndjson = (values: readonly unknown[]) => values.map((value) => `${JSON.stringify(value)}\n`).join('')

async function importJson(place: Place, ...args: string[]) {
  const { code, stdout, stderr } = await place.run(['accounts', 'import', ...args, '--json'])
  return { code, stderr, ...accountsImportJson.parse(JSON.parse(stdout)) }
}

async function accountsOf(place: Place) {
  return JSON.parse((await place.run(['accounts', 'list', '--json'])).stdout) as Record<string, unknown>[]
}

const mongo = await mongoForTests('an import from MongoDB')
if (mongo) afterAll(() => mongo[Symbol.asyncDispose]())

describe.runIf(redisAvailable())('a session of a real host', () => {
  let pds: Pds
  let redis: RedisServer
  beforeAll(async () => {
    ;[pds, redis] = await Promise.all([startPds(), startRedis()])
  })
  afterAll(async () => {
    await Promise.all([pds[Symbol.asyncDispose](), redis[Symbol.asyncDispose]()])
  })

  test('moves over, is refreshed, and a second import brings no old token back', async () => {
    await using place = await openPlace({ pds, redis })
    const [user] = await pds.createAccounts(1)
    const { did, handle, accessJwt, refreshJwt } = user!
    await writeFile(place.path('sessions.ndjson'), ndjson([{ did, handle, accessJwt, refreshJwt, service: pds.url }]))
    const first = await importJson(place, 'sessions.ndjson', '--preset', 'bluesky', '--owner', 'ada')
    expect(first).toMatchObject({ code: 0, imported: 1, present: 0, rejected: 0, rejectsFile: null })
    const [account] = await accountsOf(place)
    expect(account).toMatchObject({
      name: handle,
      externalId: did,
      ownerId: 'ada',
      serviceUrl: pds.url,
      status: 'active',
    })
    const id = String(account!.id)

    {
      await using store = place.openStore()
      await makeDue({ store, clock: systemClock }, id)
    }
    expect((await place.run(['start', '--once'])).code).toBe(0)
    const refreshed = await place.credentialOf(id)
    expect(refreshed.refreshToken).not.toBe(refreshJwt)
    expect(await pds.getSession(refreshed.accessToken)).toMatchObject({ status: 200 })

    const second = await importJson(place, 'sessions.ndjson', '--preset', 'bluesky', '--owner', 'ada')
    expect(second).toMatchObject({ code: 0, imported: 0, present: 1, rejected: 0 })
    expect(await place.credentialOf(id)).toEqual(refreshed)

    const search = createSecretSearch([accessJwt, refreshJwt, refreshed.accessToken, refreshed.refreshToken])
    expect(search.search(place.outputs.join('\n'), 'output')).toEqual([])
    const found = await search.searchDir(place.dir)
    expect(new Set(found.map(({ where }) => where))).toEqual(new Set([place.path('sessions.ndjson')]))
  })
})

describe('lines that are not imported', () => {
  test('are told by number and reason, and kept where only their owner reads them', async () => {
    await using place = await openPlace()
    const good = sessionOf(1)
    const lines = [
      JSON.stringify(good),
      'PLANTED-not-json-at-all',
      JSON.stringify({ ...sessionOf(2), refreshJwt: undefined }),
      JSON.stringify({ ...sessionOf(3), refreshJwt: 'PLANTED-no-jwt' }),
      JSON.stringify({ ...sessionOf(4), service: 'https://PLANTED-evil.example.com' }),
      JSON.stringify({ ...sessionOf(5), refreshJwt: instantSession(`${DID}a5`, 5, 0).refreshJwt }),
      JSON.stringify({ ...sessionOf(6), accessJwt: { nested: 'PLANTED-object' } }),
      JSON.stringify({ ...sessionOf(7), handle: 'PLANTED\u001b[2J' }),
    ]
    await writeFile(place.path('in.ndjson'), `${lines.join('\n')}\n`)
    const result = await importJson(place, 'in.ndjson', '--preset', 'bluesky')
    expect(result).toMatchObject({ code: 1, imported: 1, rejected: 7, rejectsFile: 'in.ndjson.rejects.ndjson' })
    expect(result.rejects).toEqual([
      { line: 2, code: 'IMPORT_LINE_UNREADABLE', message: 'This line cannot be read.' },
      { line: 3, code: 'IMPORT_FIELD_MISSING', message: 'refreshToken is missing.' },
      { line: 4, code: 'IMPORT_TOKEN_INVALID', message: expect.stringContaining('no refresh token') },
      { line: 5, code: 'BLUESKY_WRONG_ISSUER', message: expect.stringContaining('another host') },
      { line: 6, code: 'IMPORT_TOKEN_EXPIRED', message: expect.any(String) },
      { line: 7, code: 'IMPORT_FIELD_INVALID', message: 'accessToken holds a value that cannot be used.' },
      { line: 8, code: 'IMPORT_FIELD_INVALID', message: 'displayName holds a value that cannot be used.' },
    ])
    expect(result.reasons).toMatchObject({ IMPORT_FIELD_INVALID: 2, BLUESKY_WRONG_ISSUER: 1 })

    const path = place.path('in.ndjson.rejects.ndjson')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    const kept = (await readFile(path, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(kept[0]).toMatchObject({ line: 2, code: 'IMPORT_LINE_UNREADABLE', text: 'PLANTED-not-json-at-all' })
    expect(kept[2]).toMatchObject({ line: 4, fields: { refreshJwt: 'PLANTED-no-jwt', did: sessionOf(3).did } })

    const told = await place.run(['accounts', 'import', 'in.ndjson', '--preset', 'bluesky'])
    expect(told.stdout).toMatch(/^line 3: IMPORT_FIELD_MISSING: refreshToken is missing\.$/m)
    expect(told.stdout).toMatch(/^Imported 0; there already 1; rejected 7\./m)
    expect(place.outputs.join('\n')).not.toContain('PLANTED')
    const search = createSecretSearch([good.accessJwt, good.refreshJwt])
    expect(search.search(place.outputs.join('\n'), 'output')).toEqual([])
  })

  test('can be mended and imported from their file', async () => {
    await using place = await openPlace()
    const { service, ...session } = sessionOf(1)
    await writeFile(place.path('in.ndjson'), ndjson([session]))
    expect(await importJson(place, 'in.ndjson', '--preset', 'bluesky', '--rejects', 'bad')).toMatchObject({
      rejected: 1,
    })
    const [reject] = (await readFile(place.path('bad'), 'utf8')).split('\n')
    const mended = ndjson([{ ...JSON.parse(reject!).fields, service }])
    const { code, stdout } = await place.run(['accounts', 'import', '-', '--preset', 'bluesky', '--json'], mended)
    expect([code, JSON.parse(stdout).imported]).toEqual([0, 1])
  })

  test('take the place of an earlier file, which is kept', async () => {
    await using place = await openPlace()
    await writeFile(place.path('bad'), 'earlier', { mode: 0o644 })
    await writeFile(place.path('in.ndjson'), 'x\n')
    await importJson(place, 'in.ndjson', '--rejects', 'bad')
    expect(await readFile(place.path('bad'), 'utf8')).not.toContain('earlier')
    expect(await readFile(place.path('bad.1'), 'utf8')).toBe('earlier')
    expect((await stat(place.path('bad'))).mode & 0o777).toBe(0o600)
  })

  test('of a platform that is off', async () => {
    await using place = await openPlace()
    await writeFile(place.path('in.csv'), 'meta_user_id,access_token,expires_at\n10,EAAx,4102444800\n')
    expect(await importJson(place, 'in.csv', '--preset', 'meta')).toMatchObject({ reasons: { PROVIDER_OFF: 1 } })
  })
})

describe('a call that cannot be carried out', () => {
  test.each([
    ['no source', [], 2, /INVALID_REQUEST: Name a FILE/],
    ['two sources', ['in.ndjson', '--from', 'mongodb://h/d'], 2, /INVALID_REQUEST/],
    ['an unknown field', ['in.ndjson', '--map', 'secret=PLANTED'], 2, /INVALID_REQUEST: --map must be FIELD=PATH/],
    ['an unknown preset', ['in.ndjson', '--preset', 'x'], 2, /Allowed choices are bluesky/],
    ['no such file', ['nothing.ndjson'], 1, /IMPORT_SOURCE_UNREADABLE: The file cannot be read/],
    ['a map file that is none', ['in.ndjson', '--map-file', 'in.ndjson'], 2, /INVALID_REQUEST: --map-file/],
    ['rejects over the source', ['in.ndjson', '--rejects', './in.ndjson'], 2, /INVALID_REQUEST: --rejects/],
    ['a table that is not there', ['in.ndjson', '--sql-table', 't'], 1, /IMPORT_SOURCE_UNREADABLE/],
    [
      'a MongoDB that is away',
      ['--from', 'mongodb://u:PLANTED@127.0.0.1:1/d', '--collection', 'c'],
      1,
      /cannot be reached/,
    ],
    ['no collection', ['--from', 'mongodb://u:PLANTED@127.0.0.1:1/d'], 2, /INVALID_REQUEST: --collection/],
    ['no database', ['--from', 'mongodb://u:PLANTED@127.0.0.1:1', '--collection', 'c'], 2, /INVALID_REQUEST: --from/],
  ])('%s', async (_, args, code, message) => {
    await using place = await openPlace()
    await writeFile(place.path('in.ndjson'), 'PLANTED\n')
    const ran = await place.run(['accounts', 'import', ...args])
    expect([ran.code, ran.stderr]).toEqual([code, expect.stringMatching(message)])
    expect(ran.stdout + ran.stderr).not.toContain('PLANTED')
  })
})

describe('a dump', () => {
  const MAPS = ['accessToken=access_jwt', 'refreshToken=refresh_jwt', 'ownerId=user_id']
  const args = ['--sql-table', 'bluesky_sessions', '--preset', 'bluesky', ...MAPS.flatMap((map) => ['--map', map])]

  test.each(['mysql', 'sqlite', 'postgresql-copy', 'postgresql-inserts'])('of %s moves over', async (name) => {
    await using place = await openPlace()
    const path = fileURLToPath(new URL(`fixtures/dumps/${name}.sql`, import.meta.url))
    const result = await importJson(place, path, ...args, '--rejects', 'bad')
    expect(result).toMatchObject({
      code: 1,
      imported: 3,
      rejected: 1,
      rejects: [{ line: 4, code: 'IMPORT_FIELD_MISSING', message: 'refreshToken is missing.' }],
    })
    const accounts = await accountsOf(place)
    expect(accounts.map(({ ownerId, name }) => `${ownerId} ${name}`).toSorted()).toEqual([
      'user-1 ada.example',
      'user-2 oneill.example',
      'user-3 grace.example',
    ])
    expect(accounts.map(({ serviceUrl }) => serviceUrl)).toEqual(Array(3).fill('https://pds.example.com'))
  })
})

test('an import that was killed is done again: each account is there once', async () => {
  await using place = await openPlace()
  const sessions = Array.from({ length: 900 }, (_, n) => sessionOf(n))
  const args = ['accounts', 'import', '-', '--preset', 'bluesky']
  // The stream stays open, so that it is killed in the midst of it.
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: place.dir,
    env: { ...place.env, PATH: process.env.PATH ?? '' },
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  child.stdin.write(ndjson(sessions.slice(0, 700)))
  await using store = place.openStore()
  await expect.poll(() => store.accounts.count({})).toBeGreaterThan(0)
  child.kill('SIGKILL')
  await once(child, 'exit')
  const before = await store.accounts.count({})
  expect(before).toBeLessThan(900)

  const again = await place.run([...args, '--json'], ndjson(sessions))
  expect(JSON.parse(again.stdout)).toMatchObject({ imported: 900 - before, present: before, rejected: 0 })
  expect(await store.accounts.count({})).toBe(900)
})

describe.runIf(mongo)('a collection', () => {
  test('moves over, by a file of fields; nothing is written there', async () => {
    const url = mongo!.databaseUrl(`import_${new ObjectId()}`)
    await using client = new MongoClient(url)
    const users = client.db().collection('users')
    try {
      const documents = Array.from({ length: 1_201 }, (_, n) => ({
        _id: new ObjectId(),
        bluesky: { session: sessionOf(n) },
        createdAt: new Date(),
      }))
      await users.insertMany(documents)
      await using place = await openPlace()
      const map = { platform: ':bluesky', ownerId: '_id', accessToken: 'bluesky.session.accessJwt' }
      const more = { refreshToken: 'bluesky.session.refreshJwt', serviceUrl: 'bluesky.session.service' }
      await writeFile(place.path('map.json'), JSON.stringify({ ...map, ...more }))
      const args = ['--collection', 'users', '--map-file', 'map.json']
      const result = await importJson(place, '--from', url, ...args)
      expect(result).toMatchObject({ code: 0, imported: 1_201, rejected: 0 })
      const owners = (await accountsOf(place)).map(({ ownerId }) => ownerId).toSorted()
      expect(owners).toEqual(documents.map(({ _id }) => _id.toHexString()).toSorted())
      expect(await users.countDocuments()).toBe(1_201)
      // The address may hold a password: on stdin no list of processes shows it.
      const again = await place.run(['accounts', 'import', '--from', '-', ...args, '--json'], `${url}\n`)
      expect(JSON.parse(again.stdout)).toMatchObject({ imported: 0, present: 1_201 })
    } finally {
      await client.db().dropDatabase()
    }
  })
})

test('tokens of Meta move over from CSV, for the app that is configured', async () => {
  await using place = await openPlace({ env: { APP_ID: '123', APP_SECRET: 's'.repeat(32) } })
  const token = `EAA${'x'.repeat(60)}`
  const rows = [
    `10,${token},4102444800,ada,"email,pages_show_list"`,
    `11,${token},1500000000,bob,`,
    `12,${token},0,eve,`,
  ]
  await writeFile(
    place.path('tokens.csv'),
    ['meta_user_id,access_token,expires_at,customer,scopes', ...rows].join('\n'),
  )
  const result = await importJson(place, 'tokens.csv', '--preset', 'meta', '--map', 'ownerId=customer')
  expect(result).toMatchObject({ imported: 2, rejects: [{ line: 3, code: 'IMPORT_TOKEN_EXPIRED' }] })
  const [ada, eve] = (await accountsOf(place)).toSorted((a, b) => String(a.ownerId).localeCompare(String(b.ownerId)))
  expect(ada).toMatchObject({ platform: 'meta', externalId: '10', diesAt: '2100-01-01T00:00:00.000Z' })
  expect(eve).toMatchObject({ ownerId: 'eve', diesAt: null })
  expect((await place.credentialOf(String(ada!.id))).accessToken).toBe(token)
})

test('an import that is shown to people ends with what to expect', async () => {
  await using place = await openPlace()
  await writeFile(place.path('in.ndjson'), ndjson([sessionOf(1)]))
  const { code, stdout } = await place.run(['accounts', 'import', 'in.ndjson', '--preset', 'bluesky'])
  expect([code, lastLine(stdout)]).toEqual([0, expect.stringMatching(/^Each falls due within 48 hours/)])
})
