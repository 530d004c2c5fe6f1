import { isDeepStrictEqual } from 'node:util'
import { type Page, pageIdOf } from '@tokenkeeper/core'
import type { AccountPageStore, HaltStore } from '@tokenkeeper/store'
import { byId, createScan, idsAfter } from './entries.ts'
import type { Transport } from './memory-store.ts'

export function createAccountPageStore(transport: Transport): AccountPageStore {
  const { read, write } = transport
  return {
    ...createScan(transport, ({ pages }) => pages),
    put: (some) =>
      write({ name: 'pages.put' }, ({ pages }) => {
        const landed = new Set<string>()
        for (const page of some) {
          if (page.id !== pageIdOf(page.accountId, page.externalId) || wasListedLater(pages.get(page.id), page))
            continue
          pages.set(page.id, page)
          landed.add(page.id)
        }
        return landed
      }),
    update: (changes) =>
      write({ name: 'pages.update' }, ({ pages }) => {
        const asRead = changes.filter(({ from }) => isDeepStrictEqual(pages.get(from.id), from))
        for (const { to } of asRead) pages.set(to.id, to)
        return new Set(asRead.map(({ to }) => to.id))
      }),
    get: (id) => read('pages.get', ({ pages }) => pages.get(id) ?? null),
    ofAccount: (accountId, { afterId, limit }) =>
      read('pages.ofAccount', ({ pages }) => {
        const ofAccount = [...pages.values()].filter((page) => page.accountId === accountId)
        return idsAfter(ofAccount, afterId, limit)
      }),
    expiring: ({ from, before, after, limit }) =>
      read('pages.expiring', ({ pages }) =>
        [...pages.values()]
          .flatMap((page) => (page.tokenExpiresAt === null ? [] : [{ ...page, tokenExpiresAt: page.tokenExpiresAt }]))
          .filter(({ tokenExpiresAt }) => from <= tokenExpiresAt && tokenExpiresAt < before)
          .toSorted(byTokenEnd)
          .filter((page) => after === null || byTokenEnd(page, after) > 0)
          .slice(0, limit),
      ),
    removeAccount: (accountId) =>
      write({ name: 'pages.remove' }, ({ pages }) => {
        for (const page of [...pages.values()]) if (page.accountId === accountId) pages.delete(page.id)
      }),
    countKeys: () =>
      read('pages.countKeys', ({ pages }) => {
        const sealing = [...pages.values()].flatMap(({ keyId }) => (keyId === null ? [] : [keyId]))
        const byKey = Object.entries(Object.groupBy(sealing, (keyId) => keyId)).toSorted()
        return byKey.map(([keyId, uses = []]) => ({ keyId, pages: uses.length }))
      }),
  }
}

interface TokenEndKey {
  readonly tokenExpiresAt: number
  readonly id: string
}

function byTokenEnd(a: TokenEndKey, b: TokenEndKey): number {
  return a.tokenExpiresAt - b.tokenExpiresAt || byId(a, b)
}

function wasListedLater(standing: Page | undefined, { parentGeneration, refreshedAt }: Page): boolean {
  if (standing === undefined) return false
  const generations = standing.parentGeneration - parentGeneration
  return (generations || (standing.refreshedAt ?? 0) - (refreshedAt ?? 0)) > 0
}

export function createHaltStore({ read, write }: Transport): HaltStore {
  return {
    insert: (halt) =>
      write({ name: 'halts.insert' }, ({ halts }) => {
        if (halts.has(halt.id)) return false
        halts.set(halt.id, halt)
        return true
      }),
    get: (id) => read('halts.get', ({ halts }) => halts.get(id) ?? null),
    list: () =>
      read('halts.list', ({ halts }) => [...halts.values()].toSorted((a, b) => a.since - b.since || byId(a, b))),
    update: (from, to) =>
      write({ name: 'halts.update' }, ({ halts }) => {
        if (!isDeepStrictEqual(halts.get(from.id), from)) return false
        halts.set(to.id, to)
        return true
      }),
    remove: (halt) =>
      write(
        { name: 'halts.remove' },
        ({ halts }) => isDeepStrictEqual(halts.get(halt.id), halt) && halts.delete(halt.id),
      ),
  }
}
