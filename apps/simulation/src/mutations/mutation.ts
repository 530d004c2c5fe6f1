import type { EngineDeps } from '@tokenkeeper/engine'
import type { AccountStore, AccountWrite } from '@tokenkeeper/store'
import type { Invariant } from '../check/checker.ts'
import type { Task } from '../fleet/task.ts'

/** A rule of the protocol that is switched off at one of the engine's seams, to show that its absence is found. */
export interface Mutation {
  readonly name: string
  /** What the protocol does instead, as docs/protocol.md says it. */
  readonly rule: string
  /** What the checker finds broken first, in whichever schedule. */
  readonly breaks: readonly Invariant[]
  readonly alter?: Alteration
  /** Which tasks see what the primary alone has. */
  readonly readsLocally?: (task: Task) => boolean
}

export type Alteration = (deps: EngineDeps, task: Task) => EngineDeps

/** Writes of these names are other writes instead. */
export function rewriting(names: readonly string[], rewrite: (write: AccountWrite) => AccountWrite): Alteration {
  return (deps) =>
    withAccounts(deps, ({ write }) => ({
      write: (one) => write(names.includes(one.name) ? rewrite(one) : one),
    }))
}

/** Writes of these names do not ask for these terms. */
export function unconditional(names: readonly string[], terms: readonly (keyof AccountWrite['when'])[]): Alteration {
  return rewriting(names, (write) => {
    const when = Object.entries(write.when).filter(([term]) => !terms.includes(term as keyof AccountWrite['when']))
    return { ...write, when: Object.fromEntries(when) }
  })
}

/** Other ways to reach the accounts. */
export function withAccounts(deps: EngineDeps, change: (accounts: AccountStore) => Partial<AccountStore>): EngineDeps {
  const { store } = deps
  return { ...deps, store: { ...store, accounts: { ...store.accounts, ...change(store.accounts) } } }
}
