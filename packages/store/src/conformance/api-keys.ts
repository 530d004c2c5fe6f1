import { type ApiKey, hashApiKey, makeApiKey, makeId } from '@tokenkeeper/core'
import { expect, test } from 'vitest'
import { AT } from './build-account.ts'
import type { OpenFixture } from './fixture.ts'

function buildApiKey(overrides: Partial<ApiKey> = {}): ApiKey {
  const id = makeId()
  return {
    id,
    name: 'dashboard',
    role: 'operator',
    hash: hashApiKey(makeApiKey(id)),
    createdAt: AT,
    createdBy: 'cli',
    revokedAt: null,
    ...overrides,
  }
}

export function apiKeyTests(open: OpenFixture): void {
  test('a key is read back exactly, also through another handle', async () => {
    await using fixture = await open()
    const second = await fixture.openSecond()
    const key = buildApiKey()
    const revoked = buildApiKey({ role: 'viewer', revokedAt: AT + 1 })
    for (const one of [key, revoked]) await fixture.store.apiKeys.insert(one)
    expect(await second.apiKeys.get(key.id)).toStrictEqual(key)
    expect(await second.apiKeys.get(revoked.id)).toStrictEqual(revoked)
    expect(await second.apiKeys.get(makeId())).toBeNull()
  })

  test('list tells all, the oldest first', async () => {
    await using fixture = await open()
    const { apiKeys } = fixture.store
    expect(await apiKeys.list()).toStrictEqual([])
    const keys = [3, 1, 2].map((i) => buildApiKey({ createdAt: AT + i, ...(i === 2 && { revokedAt: AT + 9 }) }))
    for (const key of keys) await apiKeys.insert(key)
    expect(await apiKeys.list()).toStrictEqual(keys.toSorted((a, b) => a.createdAt - b.createdAt))
  })

  test('a key is revoked once, for every handle at once', async () => {
    await using fixture = await open()
    const second = await fixture.openSecond()
    const [key, other] = [buildApiKey(), buildApiKey()]
    for (const one of [key, other]) await fixture.store.apiKeys.insert(one)
    expect(await fixture.store.apiKeys.revoke(key.id, AT + 5)).toBe(true)
    expect(await second.apiKeys.revoke(key.id, AT + 6)).toBe(false)
    expect(await second.apiKeys.get(key.id)).toStrictEqual({ ...key, revokedAt: AT + 5 })
    expect(await second.apiKeys.get(other.id)).toStrictEqual(other)
    expect(await second.apiKeys.revoke(makeId(), AT)).toBe(false)
  })
}
