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
    let mine: string | null = null
    let writtenOver: string | null = null
    return {
      async findByLogin(login) {
        const account = await findByLogin(login)
        const isMine = account !== null && writtenOver !== null && account.connectId === mine
        return isMine ? { ...account, connectId: writtenOver! } : account
      },
      async write(one) {
        if (one.name !== 'reconnect') return write(one)
        const { connectIdNot, ...when } = one.when
        mine = connectIdNot!
        writtenOver ??= (await deps.store.accounts.get(one.accountId))?.connectId ?? null
        const written = await write({ ...one, when })
        if (written) writtenOver = null
        return written
      },
    }
  })

/** What came after a reconnect that is not acknowledged, another login or none, is taken for what it was written over. */
export const overtakeReconnects: Alteration = (deps) =>
  withAccounts(deps, ({ findByLogin, write }) => {
    let mine: string | null = null
    return {
      async findByLogin(login) {
        const account = await findByLogin(login)
        // As if no login stood there, before and after.
        return account && account.connectId !== mine ? { ...account, connectId: null! } : account
      },
      write(one) {
        if (one.name === 'reconnect') mine = one.when.connectIdNot!
        return write(one)
      },
    }
  })

/** When an answer is about to be stored, nothing is known of how long the stored token lives. */
export const forgetEnds: Alteration = (deps) => {
  let isLanding = false
  const altered = withAccounts(deps, ({ get }) => ({
    async get(id) {
      const account = await get(id)
      return account && isLanding ? { ...account, diesAt: null } : account
    },
  }))
  return {
    ...altered,
    async hook(point, accountId) {
      if (point === 'commit.before-write' || point === 'replay.before-write') isLanding = true
      await deps.hook(point, accountId)
    },
  }
}

/** The least time between two witnesses holds for accounts that nobody paused. */
export const believeWhilePaused: Alteration = (deps) => {
  let isPaused = false
  const altered = withAccounts(deps, ({ get }) => ({
    async get(id) {
      const account = await get(id)
      isPaused = account?.status === 'paused'
      return account
    },
  }))
  const { witnessMs } = deps.times
  const times = Object.defineProperty({ ...deps.times }, 'witnessMs', { get: () => (isPaused ? 0 : witnessMs) })
  return { ...altered, times }
}

/** The previous credential is presented once more, whatever it brought. */
export const askWitnessesAgain: Alteration = (deps) => {
  let first: string | null = null
  return withProviders(deps, (provider) =>
    provider.kind === 'grace'
      ? {
          ...provider,
          async refresh(account, credential) {
            const id = provider.tokenId(credential)
            first ??= id
            if (id !== first) await provider.refresh(account, credential)
            return provider.refresh(account, credential)
          },
        }
      : provider,
  )
}

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
