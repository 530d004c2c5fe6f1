import { setTimeout as delay } from 'node:timers/promises'
import { refreshAll } from '../load.ts'
import type { Arena } from '../world/arena.ts'
import type { Fault } from './fault.ts'

/** The PDS is killed or restarted in the middle of the work. */
export const pdsRestart: Fault<Arena> = {
  name: 'pds-restart',
  uses: ['pds'],
  weight: 2,
  async run(arena) {
    const { pds, random } = arena
    await refreshAll(arena)
    await delay(random.int(0, 1_500))
    await (random.chance(0.5) ? pds.kill() : pds.stop())
    await delay(random.int(0, 2_000))
    await pds.start()
  },
}
