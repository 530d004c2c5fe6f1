import { writeFile } from 'node:fs/promises'
import { makeId } from '@tokenkeeper/core'
import { startGraphEmulator } from '@tokenkeeper/graph-emulator'
import { openStore } from '@tokenkeeper/store'
import { buildHalt } from '@tokenkeeper/store/conformance'
import { mongoForTests, startPds, startRedis } from '@tokenkeeper/testkit'
import { afterAll, expect, test } from 'vitest'
import { commandsOf } from '../src/docs.ts'
import { JSON_OF } from '../src/json/index.ts'
import { createProgram } from '../src/program.ts'
import { lastLine } from '../test/cli.ts'
import { openPlace } from '../test/place.ts'

const mongo = await mongoForTests('every command on MongoDB')
if (mongo) afterAll(() => mongo[Symbol.asyncDispose]())

/** Each is shown at work in tests of its own; `serve` in those of services. */
const COVERED_ELSEWHERE = ['serve']
/** No worker runs, which it tells. */
const NOT_WELL_HERE = ['doctor']
const PLATFORMS = {
  meta: { family: 'facebook', prefix: '', url: 'META_GRAPH_URL' },
  instagram: { family: 'instagram', prefix: 'INSTAGRAM_', url: 'INSTAGRAM_GRAPH_URL' },
  threads: { family: 'threads', prefix: 'THREADS_', url: 'THREADS_GRAPH_URL' },
} as const

test.runIf(mongo)('every command works on MongoDB', { timeout: 240_000 }, async () => {
  const url = mongo!.databaseUrl(`test-${makeId()}`)
  await using pds = await startPds()
  await using redis = await startRedis()
  await using emulator = await startGraphEmulator()
  const tokens: Record<string, string> = {}
  const env: Record<string, string> = { DATABASE_URL: url }
  for (const [platform, { family, prefix, url: variable }] of Object.entries(PLATFORMS)) {
    const { control, urls } = emulator
    const app = control.createApp({ family, redirectUris: [], requireProof: family === 'facebook' })
    const user = control.createUser({ family, name: 'A User' })
    control.grant({ appId: app.id, userId: user.id })
    tokens[platform] = control.issueToken({ appId: app.id, userId: user.id, longLived: false }).accessToken
    Object.assign(env, { [`${prefix}APP_ID`]: app.id, [`${prefix}APP_SECRET`]: app.secret, [variable]: urls[family] })
  }
  await using place = await openPlace({ pds, redis, env })
  const run: string[] = []
  /** Runs a command to its success; what it printed, in its documented form. */
  async function ok(name: string, args: readonly string[] = [], input?: string): Promise<unknown> {
    run.push(name)
    const schema = JSON_OF[name]
    const { code, stdout, stderr } = await place.run(
      [...name.split(' '), ...args, ...(schema ? ['--json'] : [])],
      input,
    )
    expect(code, `${name}: ${stderr}`).toBe(NOT_WELL_HERE.includes(name) ? 1 : 0)
    return schema?.parse(JSON.parse(lastLine(stdout)))
  }

  const [user, other] = await pds.createAccounts(2)
  const login = ['--handle', user!.handle, '--app-password-stdin', '--service', pds.url]
  const { id } = (await ok('accounts add bluesky', login, user!.password)) as { id: string }
  for (const [platform, token] of Object.entries(tokens)) {
    await ok(`accounts add ${platform}`, ['--token-stdin'], token)
  }
  const { did, handle, accessJwt, refreshJwt } = other!
  const session = { did, handle, accessJwt, refreshJwt, service: pds.url }
  await writeFile(place.path('sessions.ndjson'), JSON.stringify(session))
  expect(await ok('accounts import', ['sessions.ndjson', '--preset', 'bluesky'])).toMatchObject({ imported: 1 })
  expect(await ok('accounts list')).toHaveLength(5)
  for (const name of ['accounts show', 'accounts pause', 'accounts resume', 'explain']) await ok(name, [id])
  await ok('accounts export', ['--output', 'accounts.ndjson'])

  await ok('refresh', ['--dry-run'])
  expect(await ok('refresh', ['--standalone', '--account', id])).toMatchObject({ outcome: 'refreshed' })
  await ok('test-refresh', ['--limit', '1'])
  await ok('start', ['--once'])
  for (const name of ['expiring', 'log', 'stats', 'doctor', 'schedules list', 'keys status', 'keys rotate'])
    await ok(name)

  await ok('schedules set', ['nightly', '--cron', '0 3 * * *'])
  for (const name of ['schedules off', 'schedules on', 'schedules run', 'schedules remove']) await ok(name, ['nightly'])
  await ok('halts list')
  {
    await using store = await openStore(url)
    await store.halts.insert(buildHalt({ platform: 'threads' }))
  }
  await ok('halts end', ['threads'])
  const key = (await ok('api-keys create', ['--name', 'smoke'])) as { id: string }
  await ok('api-keys list')
  await ok('api-keys revoke', [key.id])

  await ok('store copy', [url, 'sqlite:copy.db'])
  await ok('backup', ['backup.db'])
  await ok('accounts remove', [id, '--yes'])
  Object.assign(place.env, { DATABASE_URL: mongo!.databaseUrl(`test-${makeId()}`) })
  await ok('restore', ['backup.db', '--journal'])
  expect(await ok('accounts list')).toHaveLength(4)

  const all = commandsOf(createProgram(() => {})).map(([name]) => name)
  expect(all.filter((name) => !run.includes(name))).toEqual(COVERED_ELSEWHERE)
})
