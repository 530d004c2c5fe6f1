import type { World } from '../world/world.ts'

/** What a fault takes for itself; two that want the same never run together. */
export type Resource = 'workers' | 'wire' | 'store' | 'spool' | 'redis' | 'pds' | 'operators'

export interface Fault<Place = World> {
  readonly name: string
  readonly uses: readonly Resource[]
  /** How many of these are in the deck. */
  readonly weight: number
  /** The kill points at which it kills or stops. */
  readonly steps?: readonly string[]
  /** Only kills: after it alone, recovery is measured. */
  readonly killsOnly?: boolean
  /** Asks for refreshes, harms them, and mends what it broke. */
  readonly run: (place: Place) => Promise<void>
}
