import type { Platform } from '@tokenkeeper/core'
import type { ExtendProvider, GraceProvider, Provider, ProviderAccount } from '@tokenkeeper/providers'
import { latency, type Task } from '../fleet/task.ts'
import type { World } from '../world.ts'
import { exchange } from './network.ts'

/** The providers as a task sees them, through the network. */
export function createProviders(world: World, task: Task): ReadonlyMap<Platform, Provider> {
  const { providers, random, faults, checker } = world

  /** A short question that is not about to spend anything. */
  const ask = <T>(answer: () => T) => task.call<T>((reply) => reply(2 * latency(random), answer))

  const refresh: (kind: Provider['kind']) => Provider['refresh'] = (kind) => (account, credential) => {
    checker.presents(task, account.id, credential)
    return exchange(world, task, account.id, providers[kind], () => providers[kind].refresh(credential))
  }
  const logout: (kind: Provider['kind']) => Provider['logout'] = (kind) => (_account, credentials) =>
    ask(() => {
      for (const credential of credentials) providers[kind].logout(credential)
    })

  const grace: GraceProvider = {
    platform: 'bluesky',
    kind: 'grace',
    refresh: refresh('grace'),
    logout: logout('grace'),
    hostOf: () => 'pds.test',
    tokenId: (credential) => providers.grace.lineage.idOf(credential),
    locate: () => ask(() => (faults.strikes('provider.witness-silent') ? { kind: 'unknown' } : { kind: 'here' })),
    loginAgain: (account, _appPassword) =>
      exchange(world, task, account.id, providers.grace, () => providers.grace.login(account.externalId)),
  }
  const extend: ExtendProvider = {
    platform: 'meta',
    kind: 'extend',
    appId: '',
    refresh: refresh('extend'),
    logout: logout('extend'),
    hostOf: () => 'graph.test',
    confirmDead: (_account: ProviderAccount, credential) =>
      ask(() => {
        if (faults.strikes('provider.witness-silent')) return 'unknown'
        const { lineage } = providers.extend
        return lineage.acceptedUntil(lineage.idOf(credential)) > 0 ? 'alive' : 'dead'
      }),
  }
  return new Map<Platform, Provider>([
    ['bluesky', grace],
    ['meta', extend],
  ])
}
