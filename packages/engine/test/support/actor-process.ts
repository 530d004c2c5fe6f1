/**
 * A process of its own with an engine, which does one thing and may die at a kill point on the way. It prints `@point`
 * at each point reached and ends with the outcome as JSON.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Hook } from '@tokenkeeper/core'
import type { FreshLogin } from '@tokenkeeper/providers'
import { openActor, type Scene } from './actor.ts'

export interface Mission {
  readonly scene: Scene
  readonly action: 'refresh' | 'refresh-many' | 'replay' | 'reconnect' | 'remove' | 'reseal' | 'pages'
  readonly accountIds: readonly string[]
  readonly login?: FreshLogin
  readonly keys?: string
  readonly kill?: { readonly point: string; readonly signal: 'SIGKILL' | 'SIGSTOP' }
}

const mission = JSON.parse(process.argv[2] ?? '{}') as Mission
const { scene, accountIds, kill } = mission

/** Several refreshes meet before their commits, so that these share one batch. */
let arrived = 0
const meet = async () => {
  arrived++
  while (arrived < accountIds.length) await delay(5)
}

const hook: Hook = async (point) => {
  process.stdout.write(`@${point}\n`)
  if (mission.action === 'refresh-many' && point === 'commit.before-write') await meet()
  if (point === kill?.point) {
    // The half that is resolved may go on for a moment: that is what makes it a half.
    if (point === 'commit.batch-half-resolved') await delay(20)
    process.kill(process.pid, kill.signal)
    if (kill.signal === 'SIGKILL') await new Promise(() => {})
  }
}

await using actor = await openActor(scene, { hook, ...(mission.keys ? { keys: mission.keys } : {}) })
const { engine } = actor
const [accountId = ''] = accountIds
const actions: Record<Mission['action'], () => Promise<unknown>> = {
  refresh: () => engine.refreshAccount(accountId, { type: 'scheduled', force: true }),
  'refresh-many': () =>
    Promise.all(accountIds.map((id) => engine.refreshAccount(id, { type: 'scheduled', force: true }))),
  replay: () => engine.replaySpools(),
  reconnect: async () => (await engine.connectAccount(mission.login!, { ownerId: 'owner', actor: 'test' })).id,
  remove: () => engine.removeAccount(accountId, 'test'),
  reseal: () => engine.resealAccount(accountId),
  pages: () => engine.fetchPages(accountId),
}
const outcome = await actions[mission.action]()
await engine.settle()
process.stdout.write(`=${JSON.stringify(outcome ?? null)}\n`)
