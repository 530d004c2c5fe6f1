import { readFile, stat } from 'node:fs/promises'
import { buildAccount } from '@tokenkeeper/store/build-account'
import { parse } from 'csv-parse/sync'
import { expect, test } from 'vitest'
import { accountJson } from '../src/json/accounts.ts'
import { openPlace, type Place } from './place.ts'

const failure = { class: 'transient', code: 'PROVIDER_TIMEOUT', count: 3, since: 1_800_000_000_000 } as const

async function withAccounts(place: Place) {
  const odd = buildAccount({ displayName: 'a "name", with\nall', ownerId: 'ada', failure })
  const plain = Array.from({ length: 700 }, () => buildAccount())
  await using store = place.openStore()
  await Promise.all([odd, ...plain].map((account) => store.accounts.insert(account)))
  return { odd, all: [odd, ...plain] }
}

test('NDJSON: a line for each account, as in the list, and no secret', async () => {
  await using place = await openPlace()
  const { odd, all } = await withAccounts(place)
  const { code, stdout } = await place.run(['accounts', 'export'])
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => accountJson.parse(JSON.parse(line)))
  expect(code).toBe(0)
  expect(lines.map(({ id }) => id)).toEqual(all.map(({ id }) => id).toSorted())
  const listed = JSON.parse((await place.run(['accounts', 'list', '--json', '--owner', 'ada'])).stdout)
  expect(lines.filter(({ id }) => id === odd.id)).toEqual(listed)
  for (const { sealedCredential, connectId } of all) {
    expect(stdout).not.toContain(sealedCredential)
    expect(stdout).not.toContain(connectId)
  }
})

test('CSV: what a spreadsheet reads, with filters as the list has', async () => {
  await using place = await openPlace()
  const { odd } = await withAccounts(place)
  const { stdout } = await place.run(['accounts', 'export', '--format', 'csv', '--owner', 'ada'])
  expect(parse(stdout, { columns: true })).toEqual([
    {
      id: odd.id,
      platform: 'bluesky',
      name: odd.displayName,
      externalId: odd.externalId,
      ownerId: 'ada',
      status: 'active',
      statusReason: '',
      serviceUrl: odd.serviceUrl,
      failureClass: 'transient',
      failureCode: 'PROVIDER_TIMEOUT',
      failureCount: '3',
      failureSince: '2027-01-15T08:00:00.000Z',
      lastRefreshedAt: '',
      nextRefreshAt: '2027-01-15T08:00:00.000Z',
      accessExpiresAt: '2027-01-15T08:00:00.000Z',
      diesAt: '2027-01-15T08:00:00.000Z',
    },
  ])
  expect((await place.run(['accounts', 'export', '--limit', '5'])).stdout.trimEnd().split('\n')).toHaveLength(5)
})

test('to a file that its owner alone reads', async () => {
  await using place = await openPlace()
  await withAccounts(place)
  const { code, stdout } = await place.run(['accounts', 'export', '--output', 'out.ndjson'])
  expect([code, stdout]).toEqual([0, 'Exported 701 accounts, without their secrets.\n'])
  expect((await readFile(place.path('out.ndjson'), 'utf8')).trimEnd().split('\n')).toHaveLength(701)
  expect((await stat(place.path('out.ndjson'))).mode & 0o777).toBe(0o600)
  expect((await place.run(['accounts', 'export', '--output', 'no/such/dir'])).code).toBe(2)
  const written = await readFile(place.path('out.ndjson'))
  expect((await place.run(['accounts', 'export', '--output', 'out.ndjson', '--limit', '1'])).code).toBe(2)
  expect(await readFile(place.path('out.ndjson'))).toEqual(written)
})

test('of nothing', async () => {
  await using place = await openPlace()
  expect(await place.run(['accounts', 'export'])).toMatchObject({ code: 0, stdout: '' })
})
