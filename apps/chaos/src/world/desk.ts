import { until } from '@tokenkeeper/testkit'
import type { Action, TaskDone } from '../processes/orders.ts'
import type { Fleet, Member } from './fleet.ts'

/** What became of an action; `died`: the operators' process did, in the middle of it. */
export type Done = Pick<TaskDone, 'failed' | 'accountId'> | 'died'

/** Hands actions to the operators' process. */
export interface Desk {
  order(action: Action): Promise<Done>
}

export function createDesk(fleet: Pick<Fleet, 'operators'>): Desk {
  const waiting = new WeakMap<Member, Map<number, (done: Done) => void>>()
  let lastId = 0

  function waitingOf(member: Member): Map<number, (done: Done) => void> {
    const known = waiting.get(member)
    if (known) return known
    const tasks = new Map<number, (done: Done) => void>()
    waiting.set(member, tasks)
    const { child } = member.process
    child.on('message', (message: TaskDone) => tasks.get(message.id)?.(message))
    child.once('exit', () => {
      for (const resolve of tasks.values()) resolve('died')
    })
    return tasks
  }

  return {
    async order(action) {
      const member = await until(() => fleet.operators(), { what: 'the operators', timeoutMs: 120_000 })
      const id = ++lastId
      const tasks = waitingOf(member)
      const { promise, resolve } = Promise.withResolvers<Done>()
      tasks.set(id, resolve)
      member.process.child.send({ kind: 'task', id, action }, (error) => error && resolve('died'))
      return promise.finally(() => tasks.delete(id))
    },
  }
}
