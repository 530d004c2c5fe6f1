import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createSqliteStore } from '@tokenkeeper/store'
import { buildAccount, buildLogEntry } from '@tokenkeeper/store/build-account'
import { createSecretSearch, tempDir } from '@tokenkeeper/testkit'
import { expect, test } from 'vitest'
import { lastLine, runCli } from './cli.ts'

async function makePlace() {
  const dir = await tempDir()
  const path = (name: string) => join(dir.path, name)
  return {
    dir: dir.path,
    path,
    copy: (...args: string[]) => runCli(['store', 'copy', ...args], { cwd: dir.path, env: {} }),
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  }
}

test('a database is copied and verified, with a summary; done again it is the same', async () => {
  await using place = await makePlace()
  const accounts = Array.from({ length: 600 }, () => buildAccount())
  {
    await using source = createSqliteStore({ path: place.path('from.db') })
    await Promise.all(accounts.map((account) => source.accounts.insert(account)))
    await source.log.put(accounts.map(({ id }) => buildLogEntry({ accountId: id })))
  }
  const copied = await place.copy('sqlite:from.db', 'sqlite:to.db', '--json')
  expect(copied.code).toBe(0)
  expect(copied.stderr).toMatch(/^accounts: 500 …$/m)
  expect(JSON.parse(lastLine(copied.stdout))).toMatchObject({
    same: true,
    kinds: { accounts: { read: 600, copied: 600 }, log: { read: 600, copied: 600 }, runs: { read: 0 } },
    differences: [],
  })
  await using target = createSqliteStore({ path: place.path('to.db') })
  expect(await target.accounts.getMany([accounts[7]!.id])).toStrictEqual([accounts[7]])

  const again = await place.copy('sqlite:from.db', 'sqlite:to.db')
  expect(again.code).toBe(0)
  expect(again.stdout).toMatch(/^accounts +600 +600 +0 +0$/m)
  expect(again.stdout).toContain('The target holds the same as the source.')
})

test('what differs in the target is told and left, with exit 1', async () => {
  await using place = await makePlace()
  await using source = createSqliteStore({ path: place.path('from.db') })
  await using target = createSqliteStore({ path: place.path('to.db') })
  const account = buildAccount()
  await source.accounts.insert(account)
  await target.accounts.insert({ ...account, generation: 2 })
  const { code, stdout } = await place.copy('sqlite:from.db', 'sqlite:to.db')
  expect(code).toBe(1)
  expect(stdout).toContain(`accounts ${account.id}: newer in the target, left as it is`)
  expect(await target.accounts.get(account.id)).toMatchObject({ generation: 2 })
})

test('a source that is not there is not made, and no URL is repeated', async () => {
  await using place = await makePlace()
  const missing = await place.copy('sqlite:from.db', 'sqlite:to.db')
  expect([missing.code, missing.stderr]).toEqual([1, expect.stringMatching(/^STORE_NOT_FOUND: /)])
  expect(await readdir(place.dir)).toEqual([])
  await using _source = createSqliteStore({ path: place.path('from.db') })
  const unknown = await place.copy('sqlite:from.db', 'postgres://keeper:hunter22@db/tokens')
  expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringMatching(/^STORE_URL_UNKNOWN: /)])
  expect(createSecretSearch(['hunter22']).search(unknown.stdout + unknown.stderr, 'output')).toEqual([])
})
