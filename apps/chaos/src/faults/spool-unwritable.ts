import { rmSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { holdAnswers, pileUp, refreshAll } from '../load.ts'
import { fill } from '../world/sqlite-database.ts'
import type { Fault } from './fault.ts'

/** The spool's disk is full, and the store goes away at the answers: they live in memory alone until one is back. */
export const spoolFull: Fault = {
  name: 'spool-full',
  uses: ['wire', 'store', 'spool'],
  weight: 2,
  async run(world) {
    const { random, database, options, spoolDir } = world
    const ballast = join(spoolDir, 'ballast')
    const held = holdAnswers(world)
    await refreshAll(world)
    await pileUp(held, options.inFlight)
    const { bavail, bsize } = statfsSync(spoolDir)
    fill(ballast, bavail * bsize)
    const bringBack = await random.pick(database.outages).begin()
    held.release()
    await delay(random.int(2_000, 6_000))
    const mend = random.shuffle([bringBack, async () => rmSync(ballast, { force: true })])
    for (const step of mend) {
      await step()
      await delay(random.int(0, 2_000))
    }
  },
}

/** The spool's disk is read-only when the workers come: nothing new begins, what began is recovered. */
export const spoolReadOnly: Fault = {
  name: 'spool-read-only',
  uses: ['workers', 'spool'],
  weight: 1,
  async run(world) {
    const { random, fleet, spoolDisk } = world
    await refreshAll(world)
    await delay(random.int(0, 1_000))
    await Promise.all(fleet.workers().map(fleet.kill))
    // Those that have just started may have opened their spools.
    const isReadOnly = tries(() => spoolDisk!.setReadOnly(true))
    await fleet.complete()
    await delay(random.int(1_000, 5_000))
    if (isReadOnly) spoolDisk!.setReadOnly(false)
  },
}

function tries(action: () => void): boolean {
  try {
    action()
    return true
  } catch {
    return false
  }
}
