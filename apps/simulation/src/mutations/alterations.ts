import type { Credential, Platform } from '@tokenkeeper/core'
import { SECOND } from '@tokenkeeper/core'
import type { EngineDeps } from '@tokenkeeper/engine'
import type { Provider } from '@tokenkeeper/providers'
import { type Alteration, withAccounts } from './mutation.ts'

/** Each write of these names raises the generation, as if it counted changes and not credentials. */
export function raiseGeneration(names: readonly string[]): Alteration {
  return (deps) =>
    withAccounts(deps, ({ get, write }) => ({
      async write(one) {
        if (!names.includes(one.name)) return write(one)
        const account = await get(one.accountId)
        if (account === null) return false
        const { generation } = account
        const set = { ...one.change.set, generation: generation + 1 }
        return write({ ...one, when: { ...one.when, generation }, change: { ...one.change, set } })
      },
    }))
}

/** A reconnect that is not acknowledged does not recognize itself in the store, and is written once more. */
export const repeatReconnects: Alteration = (deps) =>
  withAccounts(deps, ({ findByLogin, write }) => {
    let seen: string | null = null
    return {
      async findByLogin(login) {
        const account = await findByLogin(login)
        return account && seen !== null ? { ...account, connectId: seen } : account
      },
      async write(one) {
        if (one.name !== 'reconnect') return write(one)
        const { connectIdNot: _mine, ...when } = one.when
        seen ??= (await deps.store.accounts.get(one.accountId))?.connectId ?? null
        const written = await write({ ...one, when })
        if (written) seen = null
        return written
      },
    }
  })

/** A spooled answer is written over whatever stands there. */
export const upsertReplays: Alteration = (deps) => ({
  ...deps,
  async hook(point, accountId) {
    await deps.hook(point, accountId)
    if (point !== 'replay.before-write') return
    for (const { accountId: id, sealed, keyId, generation, attempt, answeredAt } of deps.spool.own()) {
      if (id !== accountId) continue
      const lastAttempt = { id: attempt.id, outcome: 'refreshed', generation, at: answeredAt } as const
      const set = { sealedCredential: sealed, keyId, generation: generation + 1, attempt: null, lastAttempt }
      await deps.store.accounts.write({ name: 'commit', accountId, when: {}, change: { set } })
    }
  },
})

/** A told interruption of one's own attempt is read as its commit. */
export const takeInterruptionsForCommits: Alteration = (deps, task) =>
  withAccounts(deps, ({ get }) => ({
    async get(id) {
      const account = await get(id)
      if (account === null) return null
      const outbox = account.outbox.map((item) =>
        item.kind === 'log' && item.entry.id === task.attemptId
          ? { ...item, entry: { ...item.entry, outcome: 'refreshed' as const } }
          : item,
      )
      return { ...account, outbox }
    },
  }))

/** No two answers are known to be the same. */
export const believeWitnesses: Alteration = (deps) => withTokenIds(deps, () => true)

/** The same for answers that come when nobody waits for them any more. */
export const believeLateWitnesses: Alteration = (deps) => {
  const late = new Set<Credential>()
  const sent = new Map<Credential, number>()
  const patient = withProviders(deps, (provider) => ({
    ...provider,
    async refresh(account, credential) {
      sent.set(credential, deps.clock.monotonic())
      const answer = await provider.refresh(account, credential)
      const waited = deps.clock.monotonic() - sent.get(credential)!
      if (answer.kind === 'refreshed' && waited >= 30 * SECOND) late.add(answer.credential)
      return answer
    },
  }))
  return withTokenIds(patient, (credential) => late.has(credential))
}

/** Answers that the store has not acknowledged stay in memory alone. */
export const neverSpool: Alteration = (deps) => ({ ...deps, spool: { ...deps.spool, put: async () => {} } })

function withTokenIds(deps: EngineDeps, hidden: (credential: Credential) => boolean): EngineDeps {
  let made = 0
  return withProviders(deps, (provider) =>
    provider.kind === 'grace'
      ? {
          ...provider,
          tokenId: (credential) => (hidden(credential) ? `unknown ${made++}` : provider.tokenId(credential)),
        }
      : provider,
  )
}

function withProviders(deps: EngineDeps, change: (provider: Provider) => Provider): EngineDeps {
  const providers = [...deps.providers].map(([platform, provider]): [Platform, Provider] => [
    platform,
    change(provider),
  ])
  return { ...deps, providers: new Map(providers) }
}
