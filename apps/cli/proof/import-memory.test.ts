import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { instantSession } from '@tokenkeeper/testkit'
import { expect, test } from 'vitest'
import { accountsImportJson } from '../src/json/accounts.ts'
import { writeOut } from '../src/write-out.ts'
import { openPlace, type Place, SILENT_HOST } from '../test/place.ts'

const MB = 2 ** 20
/** 100,000 lines are 75 MB and become three times as much of objects: kept, they would not fit into this heap. */
const HEAP_MB = 96
const REPORTER = fileURLToPath(new URL('../test/fixtures/report-max-rss.ts', import.meta.url))

/** The most memory (bytes) that the process of a command ever held. */
async function maxRssOf(place: Place): Promise<number> {
  return Number(await readFile(place.path('max-rss'), 'utf8'))
}

async function writeSessions(path: string, count: number): Promise<void> {
  const file = createWriteStream(path)
  for (let n = 0; n < count; n++) {
    const session = instantSession(`did:plc:${String(n).padStart(24, 'a')}`, n)
    await writeOut(file, `${JSON.stringify({ ...session, service: `http://${SILENT_HOST}` })}\n`)
  }
  file.end()
  await once(file, 'finish')
}

/** Imports, lists and exports so many accounts; the memory that each of the three took at most. */
async function measure(count: number): Promise<number[]> {
  const env = { NODE_OPTIONS: `--import ${REPORTER} --max-old-space-size=${HEAP_MB}`, MAX_RSS_FILE: 'max-rss' }
  await using place = await openPlace({ env })
  await writeSessions(place.path('in.ndjson'), count)
  const imported = await place.run(['accounts', 'import', 'in.ndjson', '--preset', 'bluesky', '--json'])
  const result = accountsImportJson.parse(JSON.parse(imported.stdout))
  expect(result).toMatchObject({ imported: count, present: 0, rejected: 0 })
  console.log(`${count} lines imported, ${result.perSecond} a second`)
  const rss = [await maxRssOf(place)]
  const listed = await place.run(['accounts', 'list', '--json'])
  expect(JSON.parse(listed.stdout)).toHaveLength(count)
  rss.push(await maxRssOf(place))
  const exported = await place.run(['accounts', 'export', '--format', 'csv'])
  expect(exported.stdout.trimEnd().split('\r\n')).toHaveLength(count + 1)
  rss.push(await maxRssOf(place))
  return rss
}

test('import, list and export take no more memory for 100,000 accounts than for 10,000', {
  timeout: 600_000,
}, async () => {
  const few = await measure(10_000)
  const many = await measure(100_000)
  const inMb = (rss: readonly number[]) => rss.map((bytes) => Math.round(bytes / MB)).join(', ')
  console.log(`MB for 10,000 accounts: ${inMb(few)}; for 100,000: ${inMb(many)}`)
  for (const [i, rss] of many.entries()) expect(rss - few[i]!).toBeLessThan(80 * MB)
})
