import { buildAccount, buildPage } from '@tokenkeeper/store/build-account'
import { describe, expect, test } from 'vitest'
import { accountsListJson, accountsOperateJson, accountsShowJson } from '../src/json/accounts.ts'
import { lastLine } from './cli.ts'
import { openPlace, type Place } from './place.ts'

const SEALED = 'v1.key-1.'

/** Four accounts: two of one owner, one of Meta with Pages, one dead. */
async function withAccounts(place: Place) {
  const [first, second] = [buildAccount({ ownerId: 'ada' }), buildAccount({ ownerId: 'ada', status: 'paused' })]
  const meta = buildAccount({ platform: 'meta', providerAppId: '1', scopes: ['email'], ownerEmail: 'a@b.example' })
  const dead = buildAccount({ status: 'needs_reconnect', statusReason: 'BLUESKY_SESSION_EXPIRED' })
  await using store = place.openStore()
  for (const account of [first, second, meta, dead]) await store.accounts.insert(account)
  const pages = [buildPage({ accountId: meta.id }), buildPage({ accountId: meta.id, status: 'lost' })]
  await store.pages.put(pages)
  return { first, second, meta, dead, pages }
}

describe('accounts list', () => {
  test('shows those that are asked for, as a table and as one array', async () => {
    await using place = await openPlace()
    const { first, second, meta, dead } = await withAccounts(place)
    const list = async (...args: string[]) =>
      accountsListJson
        .parse(JSON.parse((await place.run(['accounts', 'list', '--json', ...args])).stdout))
        .map(({ id }) => id)
    expect(await list()).toEqual([first, second, meta, dead].map(({ id }) => id).toSorted())
    expect(await list('--owner', 'ada')).toEqual([first.id, second.id].toSorted())
    expect(await list('--owner', 'ada', '--status', 'paused')).toEqual([second.id])
    expect(await list('--platform', 'meta')).toEqual([meta.id])
    expect(await list('--limit', '2')).toHaveLength(2)
    expect(await list('--owner', 'nobody')).toEqual([])

    const { stdout } = await place.run(['accounts', 'list', '--status', 'needs_reconnect'])
    expect(stdout.trimEnd().split('\n')).toHaveLength(2)
    expect(stdout).toContain('needs_reconnect BLUESKY_SESSION_EXPIRED')
    expect((await place.run(['accounts', 'list', '--owner', 'nobody'])).stdout).toBe('No such accounts.\n')
    expect(place.outputs.join('\n')).not.toContain(SEALED)
  })

  test('goes from page to page', async () => {
    await using place = await openPlace()
    const accounts = Array.from({ length: 1_203 }, () => buildAccount())
    {
      await using store = place.openStore()
      await Promise.all(accounts.map((account) => store.accounts.insert(account)))
    }
    const { stdout } = await place.run(['accounts', 'list', '--json'])
    expect(JSON.parse(stdout).map(({ id }: { id: string }) => id)).toEqual(accounts.map(({ id }) => id).toSorted())
    const lines = (await place.run(['accounts', 'list', '--limit', '1100'])).stdout.match(/^[0-9a-f]{24} /gm)
    expect(lines).toHaveLength(1_100)
  })

  test('does not know other statuses', async () => {
    await using place = await openPlace()
    expect((await place.run(['accounts', 'list', '--status', 'well'])).code).toBe(2)
  })
})

describe('accounts show', () => {
  test('tells all but the secrets, with the Pages', async () => {
    await using place = await openPlace()
    const { meta, pages } = await withAccounts(place)
    const json = await place.run(['accounts', 'show', meta.id, '--json'])
    const shown = accountsShowJson.parse(JSON.parse(json.stdout))
    expect(shown).toMatchObject({
      id: meta.id,
      appId: '1',
      scopes: ['email'],
      ownerEmail: 'a@b.example',
      attempt: null,
      keepsAppPassword: false,
    })
    expect(shown.pages.map(({ id, status }) => [id, status]).toSorted()).toEqual(
      pages.map(({ id, status }) => [id, status]).toSorted(),
    )
    const { stdout } = await place.run(['accounts', 'show', meta.id])
    expect(stdout).toMatch(/^scopes +email$/m)
    expect(stdout).toContain(pages[1]!.name)
    expect(place.outputs.join('\n')).not.toContain(SEALED)
  })
})

describe('pause, resume and remove', () => {
  test('do it for each, and tell for which it was not done', async () => {
    await using place = await openPlace()
    const { first, second, dead } = await withAccounts(place)
    const paused = await place.run(['accounts', 'pause', '--json', first.id, dead.id, 'nonsense'])
    expect(accountsOperateJson.parse(JSON.parse(paused.stdout))).toEqual({
      accounts: [
        { id: first.id, status: 'paused' },
        { id: dead.id, error: { code: 'ACCOUNT_CHANGED', message: expect.any(String) } },
        { id: 'nonsense', error: { code: 'ACCOUNT_NOT_FOUND', message: expect.stringContaining('no id') } },
      ],
      failed: 2,
    })
    expect(paused.code).toBe(1)
    const resumed = await place.run(['accounts', 'resume', first.id, second.id])
    expect(resumed).toMatchObject({ code: 0, stdout: expect.stringContaining(`Resumed account ${second.id}.`) })
    await using store = place.openStore()
    const actions = (await store.audit.list({ accountId: first.id, limit: 9 })).map(({ action, actor }) => [
      action,
      actor,
    ])
    expect(actions).toEqual([
      ['account.resumed', 'cli'],
      ['account.paused', 'cli'],
    ])
  })

  test('remove asks first; where nobody can be asked it wants --yes', async () => {
    await using place = await openPlace()
    const { meta, dead } = await withAccounts(place)
    const asked = await place.run(['accounts', 'remove', dead.id, meta.id])
    expect([asked.code, lastLine(asked.stderr)]).toEqual([2, expect.stringMatching(/^INPUT_MISSING: .*--yes/)])
    await using store = place.openStore()
    expect(await store.accounts.count({})).toBe(4)
    const removed = await place.run(['accounts', 'remove', '--yes', '--json', dead.id, meta.id])
    expect(accountsOperateJson.parse(JSON.parse(removed.stdout))).toEqual({
      accounts: [
        { id: dead.id, status: null },
        { id: meta.id, status: null },
      ],
      failed: 0,
    })
    expect(await store.accounts.count({})).toBe(2)
    expect(await store.pages.ofAccount(meta.id, { afterId: null, limit: 9 })).toEqual([])
  })
})
