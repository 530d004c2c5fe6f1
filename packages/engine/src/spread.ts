import { SECOND } from '@tokenkeeper/core'
import type { EngineDeps } from './deps.ts'

const SPREAD_MS = 10 * SECOND

/** A time (ms) soon after `until`: accounts that wait for the same do not all come back in the same instant. */
export function soonAfter({ random }: Pick<EngineDeps, 'random'>, until: number): number {
  return until + Math.floor(random() * SPREAD_MS)
}
