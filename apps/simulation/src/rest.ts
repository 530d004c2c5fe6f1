import { DAY } from '@tokenkeeper/core'
import { openPacing, startProcess } from './fleet/machine.ts'
import { accountOf, act, type Person } from './people.ts'
import type { Runner } from './runner.ts'
import type { World } from './world.ts'

/** Longer than all that the protocol waits for, one after the other. */
export const REST_WITHIN_MS = 20 * DAY

/** Whatever is away comes back, but for what is lost for good; nothing goes wrong any more. */
export function heal(world: World): void {
  const { conditions, faults, machines, plan, scheduler } = world
  world.trace(() => 'all is well again')
  faults.stop()
  conditions.calm = true
  if (conditions.cutOffUntil > scheduler.now()) world.database.failOver()
  for (const key of ['storeAwayUntil', 'cutOffUntil', 'spoolFullUntil', 'falseDeadUntil', 'checkpointUntil'] as const) {
    conditions[key] = 0
  }
  for (const machine of machines) {
    machine.awayUntil = 0
    for (const process of machine.processes) {
      process.pausedUntil = Math.min(process.pausedUntil, scheduler.now())
      process.keyIds = conditions.keyIds
      process.pacing = openPacing(world, machine)
    }
    const workers = machine.processes.filter(({ kind }) => kind === 'worker').length
    for (let i = workers; i < Math.ceil(plan.workers / plan.machines); i++) startProcess(world, machine, 'worker')
  }
  world.jobs.workerIsBack()
}

/** What is kept must work: each account is refreshed once more, and those that are lost must have been beyond help. */
export async function probe(world: World, people: readonly Person[], run: Runner): Promise<void> {
  const { database, checker, jobs } = world
  for (const person of people) if (accountOf(world, person)?.status === 'paused') act(world, person, 'resume')
  await run.untilIdle(REST_WITHIN_MS)
  const asked = people.flatMap((person) => accountOf(world, person) ?? []).filter(({ status }) => status === 'active')
  for (const { id } of asked) jobs.enqueue(id, { type: 'test', force: true })
  await run.untilIdle(REST_WITHIN_MS)
  for (const { id, generation } of asked) {
    const after = database.majority.accounts.get(id)!
    // A provider may go on offering tokens that end sooner; then the stored one is kept.
    const isRefreshed = after.generation > generation || after.failure?.code === 'PROVIDER_SHORTER_TOKEN'
    if (!isRefreshed && checker.isRecoverable(id)) {
      checker.fail('I6', `at the end it is not refreshed: ${after.status} ${after.failure?.code}`)
    }
  }
}
