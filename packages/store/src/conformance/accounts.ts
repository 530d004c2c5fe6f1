import { type Account, makeId, PLATFORMS } from '@tokenkeeper/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ListQuery, Store } from '../store.ts'
import { AT, buildAccount, buildAttempt, buildLogItem } from './build-account.ts'
import type { OpenFixture } from './fixture.ts'

export function accountTests(open: OpenFixture): void {
  test('what was inserted is read back exactly', async () => {
    await using fixture = await open()
    const { accounts } = fixture.store
    const bare = buildAccount()
    const full: Account = buildAccount({
      platform: 'meta',
      providerAppId: 'app',
      displayName: 'Zoë "Ω" \\ 🦋\n',
      status: 'needs_action',
      statusReason: 'BLUESKY_MOVED https://new.host',
      scopes: ['a', 'b'],
      previousCredential: 'v1.key-0.old',
      previousKeyId: 'key-0',
      dataAccessExpiresAt: AT + 1,
      lastRefreshedAt: AT + 2,
      snoozedAt: AT + 3,
      failure: { count: 2, class: 'transient', code: 'PROVIDER_TIMEOUT', since: AT },
      attempt: buildAttempt({ jobId: 'job', unknownSince: AT, tookOverEarly: true }),
      lastAttempt: { id: makeId(), outcome: 'failed', generation: 3, at: AT },
      pagesGeneration: 3,
      pagesDueAt: AT + 4,
      outbox: [buildLogItem()],
      ownerEmail: 'owner@example.org',
      sealedAppPassword: 'v1.key-1.password',
      appPasswordKeyId: 'key-1',
      appPasswordTriedAt: AT,
    })
    for (const account of [bare, full]) {
      await accounts.insert(account)
      expect(await accounts.get(account.id)).toStrictEqual(account)
    }
  })

  test('any text survives', async () => {
    await using fixture = await open()
    const { accounts } = fixture.store
    const text = fc.string({ unit: 'grapheme', maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(text, fc.array(text, { maxLength: 3 }), async (displayName, scopes) => {
        const account = buildAccount({ displayName, scopes, outbox: [buildLogItem({ errorMessage: displayName })] })
        await accounts.insert(account)
        expect(await accounts.get(account.id)).toStrictEqual(account)
      }),
      { numRuns: 50 },
    )
  })

  test('an unknown id is null', async () => {
    await using fixture = await open()
    expect(await fixture.store.accounts.get(makeId())).toBeNull()
  })

  test('getMany gives those that exist', async () => {
    await using fixture = await open()
    const [first, second] = await insertMany(fixture.store, 3)
    const found = await fixture.store.accounts.getMany([second!.id, makeId(), first!.id])
    expect(found.toSorted(byId)).toStrictEqual([first, second])
    expect(await fixture.store.accounts.getMany([])).toStrictEqual([])
  })

  test('a login and an id are unique', async () => {
    await using fixture = await open()
    const { accounts } = fixture.store
    const account = buildAccount()
    await accounts.insert(account)
    const { ownerId, platform, providerAppId, externalId } = account
    await expect(accounts.insert(buildAccount({ externalId }))).rejects.toMatchObject({ code: 'ACCOUNT_EXISTS' })
    await expect(accounts.insert(buildAccount({ id: account.id, externalId: 'other' }))).rejects.toMatchObject({
      code: 'ACCOUNT_EXISTS',
    })
    expect(await accounts.get(account.id)).toStrictEqual(account)
    // One part that differs makes another login.
    await accounts.insert(buildAccount({ externalId, ownerId: 'owner-2' }))
    await accounts.insert(buildAccount({ externalId, platform: 'meta' }))
    await accounts.insert(buildAccount({ externalId, providerAppId: 'app-2' }))
    expect(await accounts.findByLogin({ ownerId, platform, providerAppId, externalId })).toStrictEqual(account)
    expect(await accounts.findByLogin({ ownerId, platform, providerAppId, externalId: 'none' })).toBeNull()
  })

  test('of many inserts of one login at once, through two handles, one wins', async () => {
    await using fixture = await open()
    const second = await fixture.openSecond()
    const rivals = Array.from({ length: 10 }, () => buildAccount({ externalId: 'did:plc:one' }))
    const results = await Promise.allSettled(
      rivals.map((account, i) => (i % 2 ? second : fixture.store).accounts.insert(account)),
    )
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'ACCOUNT_EXISTS' })
    }
    expect(await second.accounts.count({})).toBe(1)
  })

  test('list pages by id, with filters; count agrees', async () => {
    await using fixture = await open()
    const { accounts } = fixture.store
    const all = await insertMany(fixture.store, 24, (i) => ({
      platform: PLATFORMS[i % 3]!,
      status: (['active', 'paused', 'quarantined', 'removing'] as const)[i % 4]!,
      ownerId: `owner-${i % 5}`,
    }))
    const filters: Omit<ListQuery, 'afterId' | 'limit'>[] = [
      {},
      { platform: 'meta' },
      { statusIn: ['active', 'removing'] },
      { statusIn: [] },
      { platform: 'bluesky', statusIn: ['paused'] },
      { platformIn: ['meta', 'instagram'] },
      { platformIn: ['bluesky', 'meta'], platform: 'meta', statusIn: ['active'] },
      { platformIn: [] },
      { ownerId: 'owner-3' },
      { ownerId: 'owner-3', platform: 'bluesky', statusIn: ['active', 'paused', 'quarantined'] },
    ]
    for (const filter of filters) {
      const { platform, platformIn, statusIn, ownerId } = filter
      const expected = all.filter(
        (account) =>
          (platform === undefined || account.platform === platform) &&
          (platformIn === undefined || platformIn.includes(account.platform)) &&
          (statusIn === undefined || statusIn.includes(account.status)) &&
          (ownerId === undefined || account.ownerId === ownerId),
      )
      const listed: Account[] = []
      for (;;) {
        const page = await accounts.list({ ...filter, afterId: listed.at(-1)?.id ?? null, limit: 5 })
        listed.push(...page)
        if (page.length < 5) break
      }
      expect(listed).toStrictEqual(expected)
      if (ownerId === undefined) expect(await accounts.count(filter)).toBe(expected.length)
    }
  })

  test('deleteRemoved deletes only what is removing and has nothing to tell', async () => {
    await using fixture = await open()
    const { accounts } = fixture.store
    const active = buildAccount()
    const telling = buildAccount({ status: 'removing', outbox: [buildLogItem()] })
    const done = buildAccount({ status: 'removing' })
    for (const account of [active, telling, done]) await accounts.insert(account)
    expect(await accounts.deleteRemoved(active.id)).toBe(false)
    expect(await accounts.deleteRemoved(telling.id)).toBe(false)
    expect(await accounts.deleteRemoved(done.id)).toBe(true)
    expect(await accounts.deleteRemoved(done.id)).toBe(false)
    expect((await accounts.list({ afterId: null, limit: 9 })).map(({ id }) => id)).toEqual(
      [active.id, telling.id].toSorted(),
    )
  })

  test('a login is shared while another owner has it too', async () => {
    await using fixture = await open()
    const { accounts } = fixture.store
    const login = { platform: 'meta', providerAppId: 'app-1', externalId: 'user-1' } as const
    const mine = buildAccount({ ...login, ownerId: 'one' })
    const elsewhere = { ...login, ownerId: 'two', providerAppId: 'app-2' }
    for (const account of [
      mine,
      buildAccount(elsewhere),
      buildAccount({ ...login, ownerId: 'three', status: 'removing' }),
    ])
      await accounts.insert(account)
    expect(await accounts.isShared(mine)).toBe(false)
    const theirs = buildAccount({ ...login, ownerId: 'two' })
    await accounts.insert(theirs)
    expect(await accounts.isShared(mine)).toBe(true)
    expect(await accounts.isShared(theirs)).toBe(true)
  })

  test('countKeys counts what each key seals, by place', async () => {
    await using fixture = await open()
    const { accounts } = fixture.store
    await accounts.insert(buildAccount({ keyId: 'current' }))
    await accounts.insert(buildAccount({ previousKeyId: 'previous', previousCredential: 'x' }))
    await accounts.insert(buildAccount({ appPasswordKeyId: 'password', sealedAppPassword: 'x' }))
    const formerCredentials = ['former-1', 'former-2'].map((keyId) => ({ sealed: 'x', keyId, until: AT }))
    await accounts.insert(buildAccount({ formerCredentials }))
    await accounts.insert(buildAccount({ status: 'removing', keyId: '', sealedCredential: 'x' }))
    const none = { current: 0, previous: 0, former: 0, appPasswords: 0 }
    expect(await accounts.countKeys()).toEqual([
      { ...none, keyId: 'current', current: 1 },
      { ...none, keyId: 'former-1', former: 1 },
      { ...none, keyId: 'former-2', former: 1 },
      { ...none, keyId: 'key-1', current: 3 },
      { ...none, keyId: 'password', appPasswords: 1 },
      { ...none, keyId: 'previous', previous: 1 },
    ])
  })
}

/** Inserts so many accounts; returns them by id. */
async function insertMany(
  store: Store,
  count: number,
  overrides: (i: number) => Partial<Account> = () => ({}),
): Promise<Account[]> {
  const accounts = Array.from({ length: count }, (_, i) => buildAccount(overrides(i)))
  await Promise.all(accounts.map((account) => store.accounts.insert(account)))
  return accounts.toSorted(byId)
}

function byId(a: Account, b: Account): number {
  return a.id < b.id ? -1 : 1
}
