import { setTimeout as delay } from 'node:timers/promises'
import { REFRESH, refreshAll } from '../load.ts'
import type { Arena } from '../world/arena.ts'
import type { Fault } from './fault.ts'

const KINDS = [
  { kind: 'status', status: 502 },
  { kind: 'rate_limited', retryAfterS: 30 },
  { kind: 'html_401' },
] as const

/** The host, or what stands before it, answers everything with an error. */
export const storm: Fault<Arena> = {
  name: 'storm',
  uses: ['wire'],
  weight: 3,
  async run(arena) {
    const { proxy, random } = arena
    const raging = proxy.fault({ ...random.pick(KINDS), match: ({ path }) => path === REFRESH })
    await refreshAll(arena)
    await delay(random.int(1_000, 6_000))
    raging.release()
  },
}
