import { setTimeout as delay } from 'node:timers/promises'
import { REFRESH, refreshAll } from '../load.ts'
import type { Arena } from '../world/arena.ts'
import type { Fault } from './fault.ts'

const KINDS = [
  { kind: 'drop_answer' },
  { kind: 'drop_request' },
  { kind: 'truncate' },
  { kind: 'truncate', cut: true },
] as const

/** Tokens are spent, and the answers never come, or in half. */
export const lostAnswers: Fault<Arena> = {
  name: 'lost-answers',
  uses: ['wire'],
  weight: 3,
  async run(arena) {
    const { proxy, random } = arena
    const lossy = proxy.fault({ ...random.pick(KINDS), match: ({ path }) => path === REFRESH })
    await refreshAll(arena)
    await delay(random.int(1_000, 5_000))
    lossy.release()
  },
}
