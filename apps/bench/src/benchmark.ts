import { measureBaseline } from './parts/baseline.ts'
import { measureDrain } from './parts/drain.ts'
import { measureIo } from './parts/io.ts'
import { measureOverhead } from './parts/overhead.ts'
import { measurePickup } from './parts/pickup.ts'
import { measureSealing } from './parts/sealing.ts'
import { measureStartup } from './parts/startup.ts'
import { measureSweep } from './parts/sweep.ts'
import type { Sizes } from './sizes.ts'

/** In the order in which they are measured and reported. */
const PARTS = {
  overhead: measureOverhead,
  io: measureIo,
  baseline: measureBaseline,
  sweep: measureSweep,
  drain: measureDrain,
  pickup: measurePickup,
  sealing: measureSealing,
  startup: measureStartup,
}

export type PartName = keyof typeof PARTS
export const PART_NAMES = Object.keys(PARTS) as PartName[]

export type Report = { readonly [Name in PartName]?: Awaited<ReturnType<(typeof PARTS)[Name]>> }

/** Measures the parts one after another; tells of each when it is over. */
export async function measure(names: readonly PartName[], sizes: Sizes, say: (line: string) => void): Promise<Report> {
  const report: Record<string, unknown> = {}
  for (const name of PART_NAMES.filter((part) => names.includes(part))) {
    const begun = performance.now()
    const figures: Record<string, unknown> = await PARTS[name](sizes)
    report[name] = figures
    say(`${name}: ${((performance.now() - begun) / 1_000).toFixed(0)} s`)
    for (const store of ['sqlite', 'mongo']) {
      if (figures[store] === null)
        say(`left out: ${name} on ${store} (no MongoDB: set MONGODB_URI or see docs/mongodb.md)`)
    }
  }
  return report
}
