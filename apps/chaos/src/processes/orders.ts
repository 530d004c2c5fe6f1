import type { FreshLogin } from '@tokenkeeper/providers'
import type { Trap } from './trap.ts'

/** What the chaos tells its processes, over IPC. */
export type Order = { readonly kind: 'trap'; readonly trap: Trap | null } | Task

/** Work for the operators' process; it answers with a TaskDone of the same id. */
export interface Task {
  readonly kind: 'task'
  readonly id: number
  readonly action: Action
}

export type Action =
  | { readonly name: 'pause' | 'resume' | 'remove' | 'reseal' | 'refresh'; readonly accountId: string }
  | { readonly name: 'connect'; readonly login: FreshLogin }

export interface TaskDone {
  readonly kind: 'done'
  readonly id: number
  /** An error code, if it failed. */
  readonly failed: string | null
  /** Of a connect: the account's id. */
  readonly accountId: string | null
}
