import { refreshAll } from '../load.ts'
import type { Fault } from './fault.ts'
import { killAt, someWorkers } from './kill.ts'

/** Steps that any refresh comes by. */
const STEPS = [
  'begin.before-write',
  'begin.applied-before-ack',
  'begin.acked',
  'send.checked-not-sent',
  'send.in-flight',
  'reply.received',
  'commit.before-write',
  'commit.applied-before-ack',
  'commit.batch-half-resolved',
  'commit.acked-before-relay',
  'relay.inserted-before-pull',
] as const

/** SIGKILL at a named step of the protocol, with many attempts gathered at that very step. */
export const killAtStep: Fault = {
  name: 'kill-at-step',
  uses: ['workers'],
  weight: STEPS.length,
  steps: STEPS,
  killsOnly: true,
  async run(world) {
    const { random, options } = world
    const victims = someWorkers(world)
    const gather = random.int(Math.ceil(options.inFlight / 2), options.inFlight)
    const dying = killAt(world, victims, { point: random.pick(STEPS), gather })
    await refreshAll(world)
    await dying
  },
}
