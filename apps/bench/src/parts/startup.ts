import { setTimeout as delay } from 'node:timers/promises'
import { type NodeProcess, residentBytes } from '@tokenkeeper/testkit'
import { type Bed, openBed } from '../bed/bed.ts'
import type { Sizes } from '../sizes.ts'
import { median, rounded } from '../statistics.ts'

/** How long a process has been idle when its memory is read. */
const IDLE_MS = 500
const MB = 2 ** 20

/** From the start of each process until it is ready, and what it holds while it has nothing to do. */
export async function measureStartup({ rounds }: Sizes) {
  await using bed = await openBed({ store: 'sqlite' })
  if (bed === null) throw new Error('SQLite is part of Node')
  const starts = {
    bareNode: () => bed.startBareNode(),
    worker: () => bed.startApp('worker'),
    scheduler: () => bed.startApp('scheduler'),
    api: () => bed.startApp('api'),
  }
  const samples = new Map<string, Sample[]>()
  // The first round fills the disk's cache.
  for (let round = 0; round <= rounds; round++) {
    for (const [name, start] of Object.entries(starts)) {
      const sample = await measureStart(start)
      if (round > 0) samples.set(name, [...(samples.get(name) ?? []), sample])
    }
  }
  const figures = (name: keyof typeof starts) => ({
    readyMs: rounded(median(samples.get(name)!.map(({ readyMs }) => readyMs))),
    idleMb: rounded(median(samples.get(name)!.map(({ idleMb }) => idleMb))),
  })
  return {
    worker: figures('worker'),
    scheduler: figures('scheduler'),
    api: figures('api'),
    bareNode: figures('bareNode'),
  }
}

type Sample = { readonly readyMs: number; readonly idleMb: number }

async function measureStart(start: Bed['startBareNode']): Promise<Sample> {
  const begun = performance.now()
  const app: NodeProcess = await start()
  const readyMs = performance.now() - begun
  await delay(IDLE_MS)
  const idleMb = (await residentBytes(app.pid)) / MB
  await app[Symbol.asyncDispose]()
  return { readyMs, idleMb }
}
