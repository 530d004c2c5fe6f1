import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { buildAccount } from '../src/conformance/build-account.ts'
import { openSqliteFixture } from './support/sqlite-fixture.ts'

test('the kill point after a write lies between its COMMIT and its acknowledgement', async () => {
  const seen: unknown[] = []
  let path = ''
  await using fixture = await openSqliteFixture({
    hook(point, accountId) {
      using other = new DatabaseSync(path)
      seen.push(point, other.prepare('SELECT generation FROM accounts WHERE id = ?').get(accountId)?.generation)
    },
  })
  path = fixture.path
  const account = buildAccount()
  await fixture.store.accounts.insert(account)
  const write = { name: 'commit', accountId: account.id, when: { generation: 1 }, change: { set: { generation: 2 } } }
  await fixture.store.accounts.write(write).then((matched) => seen.push(matched))
  expect(seen).toEqual(['commit.applied-before-ack', 2, true])
  // One that did not match was not applied.
  expect(await fixture.store.accounts.write(write)).toBe(false)
  expect(seen).toHaveLength(3)
})
