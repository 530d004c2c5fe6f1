import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hashApiKey } from '@tokenkeeper/core'
import { createSqliteStore } from '@tokenkeeper/store'
import { createSecretSearch, tempDir } from '@tokenkeeper/testkit'
import { expect, test } from 'vitest'
import { runCli } from './cli.ts'

async function makePlace() {
  const dir = await tempDir()
  return {
    dir: dir.path,
    run: (...args: string[]) => runCli(['api-keys', ...args], { cwd: dir.path, env: {} }),
    openStore: () => createSqliteStore({ path: join(dir.path, '.data/tokenkeeper.db') }),
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  }
}

test('a key is made, shown once, stored as a hash, listed and revoked; both acts are recorded', async () => {
  await using place = await makePlace()
  const created = await place.run('create', '--name', 'Night shift', '--role', 'operator', '--json')
  expect(created.code).toBe(0)
  const { id, key, ...rest } = JSON.parse(created.stdout)
  expect(rest).toMatchObject({ name: 'Night shift', role: 'operator' })
  expect(key).toMatch(new RegExp(`^tk_${id}_[\\w-]{43}$`))
  expect(created.stderr).not.toContain(key)

  await using store = place.openStore()
  expect(await store.apiKeys.get(id)).toMatchObject({ hash: hashApiKey(key), role: 'operator', revokedAt: null })
  const listed = await place.run('list')
  expect(listed.stdout).toMatch(new RegExp(`^${id} +Night shift +operator +\\d{4}-.*Z +-$`, 'm'))
  const search = createSecretSearch([key])
  expect(search.search(listed.stdout, 'list')).toEqual([])
  expect(await search.searchDir(place.dir)).toEqual([])

  expect((await place.run('revoke', id)).stdout).toBe(`Revoked the API key ${id} (Night shift).\n`)
  expect((await place.run('revoke', id)).stdout).toBe(`The API key ${id} was revoked before.\n`)
  const [gone] = JSON.parse((await place.run('list', '--json')).stdout)
  expect(gone).toMatchObject({ id, revokedAt: expect.stringMatching(/^\d{4}-/) })
  const entries = await store.audit.list({ limit: 9 })
  expect(entries.map(({ action, actor, detail }) => [action, actor, detail]).toSorted()).toEqual([
    ['api_key.created', 'cli', `Night shift (${id}), operator`],
    ['api_key.revoked', 'cli', `Night shift (${id})`],
  ])
})

test('for people the key stands alone on its line; without a role it may only look', async () => {
  await using place = await makePlace()
  const { code, stdout } = await place.run('create', '--name', 'Dashboard')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^API key [0-9a-f]{24} of the role viewer, for Dashboard\. It is shown this once:$/m)
  expect(stdout).toMatch(/^ {2}tk_[0-9a-f]{24}_[\w-]{43}$/m)
})

test('what goes wrong is said, and nothing is made', async () => {
  await using place = await makePlace()
  const unknown = await place.run('revoke', 'f'.repeat(24))
  expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringMatching(/^API_KEY_NOT_FOUND: .*api-keys list/m)])
  const role = await place.run('create', '--name', 'x', '--role', 'king')
  expect([role.code, role.stderr]).toEqual([2, expect.stringContaining('Allowed choices are viewer, operator, admin')])
  expect((await place.run('create')).stderr).toContain("required option '--name <name>' not specified")
  expect((await place.run('create', '--name', ' ')).stderr).toContain('It must have 1 to 100 letters')
  expect((await place.run('list')).stdout).toContain('No API keys yet')
  await expect(readFile(join(place.dir, '.data/tokenkeeper.db'))).rejects.toMatchObject({ code: 'ENOENT' })
})
