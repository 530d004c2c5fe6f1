import { REFRESH, refreshAll } from '../load.ts'
import type { Fault } from './fault.ts'
import { killAt, someWorkers } from './kill.ts'

const STEP = 'release.before-write'

/** A gateway answers 502, so that outcomes are unknown; killed before that is written down. */
export const killWhileReleasing: Fault = {
  name: 'kill-while-releasing',
  uses: ['workers', 'wire'],
  weight: 1,
  steps: [STEP],
  async run(world) {
    const { random, proxy, options } = world
    const victims = someWorkers(world)
    const count = Math.max(1, random.int(options.inFlight / 2, options.inFlight))
    const storm = proxy.fault({ kind: 'status', status: 502, match: ({ path }) => path === REFRESH })
    const dying = killAt(world, victims, { point: STEP, gather: count })
    await refreshAll(world)
    await dying
    storm.release()
  },
}
