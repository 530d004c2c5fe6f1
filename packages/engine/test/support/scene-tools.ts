import { fileURLToPath } from 'node:url'
import type { Account, Credential } from '@tokenkeeper/core'
import { type NodeProcess, spawnNode } from '@tokenkeeper/testkit'
import { openCredential } from '../../src/index.ts'
import { type Actor, type ActorOptions, createActor, type Scene } from './actor.ts'
import type { Mission } from './actor-process.ts'
import type { Storage } from './storage.ts'

const ACTOR_PROCESS = fileURLToPath(new URL('actor-process.ts', import.meta.url))

/** What every world does with its accounts and its scene, whoever the provider is. */
export function sceneTools(scene: Scene, actor: Actor, { isMongo }: Pick<Storage, 'isMongo'>) {
  return {
    async read(accountId: string): Promise<Account> {
      const account = await actor.store.accounts.get(accountId)
      if (!account) throw new Error(`no account ${accountId}`)
      return account
    },
    open: (account: Account): Credential => openCredential(actor.sealer, account.id, account.sealedCredential),
    run: (mission: Omit<Mission, 'scene'>): NodeProcess =>
      spawnNode(ACTOR_PROCESS, { args: [JSON.stringify({ scene, ...mission } satisfies Mission)] }),
    /** A further engine in this process; on MongoDB it shares the world's handle on the store. */
    newActor: (options: ActorOptions = {}): Actor =>
      createActor(scene, { ...(isMongo && { store: actor.store }), ...options }),
    /** As a run or a person asks. */
    refresh: (id: string) => actor.engine.refreshAccount(id, { type: 'scheduled', force: true }),
  }
}
