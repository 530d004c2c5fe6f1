import { readFile, writeFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { mongoForTests } from '@tokenkeeper/testkit'
import { MongoClient, ObjectId } from 'mongodb'
import { afterAll, expect, test } from 'vitest'
import { FIELDS, PRESET_NAMES } from '../src/import/fields.ts'
import { openPlace, type Place } from './place.ts'

const page = await readFile(new URL('../../../docs/import.md', import.meta.url), 'utf8')
const dump = await readFile(new URL('fixtures/dumps/sqlite.sql', import.meta.url), 'utf8')

/** What the page shows as the content of a file, with tokens in the place of those that are cut short. */
const files = new Map(
  [...page.matchAll(/```\w+ (\S+)\n(.*?)```/gs)].map(([, name, text]) => [
    name!,
    text!.replace(/^.*did:plc.*$/gm, withTokens),
  ]),
)
const commands = [...page.matchAll(/```sh\n(.*?)\n```/gs)].map(([, text]) => text!)

function withTokens(line: string): string {
  const claims = { sub: /did:plc:\w+/.exec(line)![0], aud: 'did:web:pds.example.com', exp: 4_102_444_800 }
  return line
    .replace('eyJhY2Nlc3M…', jwt({ ...claims, scope: 'com.atproto.access' }))
    .replace('eyJyZWZyZXNo…', jwt({ ...claims, scope: 'com.atproto.refresh' }))
}

function jwt(claims: object): string {
  return ['{}', JSON.stringify(claims), 'signature'].map((part) => Buffer.from(part).toString('base64url')).join('.')
}

const mongo = await mongoForTests('the MongoDB example of docs/import.md')
const url = mongo?.databaseUrl(`docs_${new ObjectId()}`)
if (mongo) {
  afterAll(async () => {
    await using client = new MongoClient(url!)
    await client.db().dropDatabase()
    await mongo[Symbol.asyncDispose]()
  })
}

async function openDocsPlace(): Promise<Place> {
  const place = await openPlace({ env: { APP_ID: '1', APP_SECRET: 's'.repeat(32) } })
  for (const [name, text] of files) await writeFile(place.path(name), text)
  await writeFile(place.path('dump.sql'), dump)
  using db = new DatabaseSync(place.path('app.db'))
  db.exec(dump)
  return place
}

/** A command of the page, as a person calls it. */
async function call(place: Place, command: string) {
  const args = command
    .replace('pnpm tokenkeeper ', '')
    .replace('mongodb://localhost/app', url ?? '')
    .split(' ')
  return place.run(args)
}

test('the page has examples of every kind', () => {
  expect(commands).toHaveLength(7)
  expect([...files.keys()]).toEqual(['sessions.ndjson', 'tokens.csv', 'users', 'fields.json'])
})

test.each(
  commands
    .filter((command) => command.startsWith('pnpm tokenkeeper accounts import'))
    .filter((command) => mongo || !command.includes('mongodb')),
)('%s', async (command) => {
  await using place = await openDocsPlace()
  if (command.includes('mongodb')) {
    await using client = new MongoClient(url!)
    await client
      .db()
      .collection('users')
      .insertOne(JSON.parse(files.get('users')!))
  }
  const { code, stdout, stderr } = await call(place, command)
  // The fourth row of the table has no refresh token.
  const [imported, rejected] = command.includes('--sql-table') ? [3, 1] : [command.includes('--from') ? 1 : 2, 0]
  expect(stdout, stderr).toMatch(new RegExp(`^Imported ${imported}; there already 0; rejected ${rejected}\\.`, 'm'))
  expect(code).toBe(rejected)
})

test('what was rejected is imported again as the page says', async () => {
  await using place = await openDocsPlace()
  const bad = files
    .get('sessions.ndjson')!
    .replaceAll('"service":"https://pds.example.com"', '"service":"https://x.example"')
  await writeFile(place.path('sessions.ndjson'), bad)
  expect((await call(place, commands[0]!)).code).toBe(1)
  // What jq does in the page.
  const rejects = (await readFile(place.path('sessions.ndjson.rejects.ndjson'), 'utf8')).trimEnd().split('\n')
  const mended = rejects.map((line) => JSON.stringify({ ...JSON.parse(line).fields, service: undefined })).join('\n')
  const again = commands.find((command) => command.startsWith('jq'))!.split(' | pnpm tokenkeeper ')[1]!
  expect(await place.run(again.split(' '), mended)).toMatchObject({ code: 0 })
})

test('the export of the page', async () => {
  await using place = await openDocsPlace()
  await call(place, commands[0]!)
  const { code, stdout } = await call(place, commands.at(-1)!)
  expect([code, stdout.trimEnd().split('\n').length]).toEqual([0, 1])
})

test('every field and preset is explained', () => {
  for (const field of FIELDS) expect(page).toMatch(new RegExp(`^\\|[^|]*\`${field}\``, 'm'))
  for (const preset of PRESET_NAMES) expect(page).toMatch(new RegExp(`^\\|[^|]*\`${preset}\`[^|]* \\| \``, 'm'))
})
