import type { Hook } from '@tokenkeeper/core'
import type { WriteNote } from '../journal/journal.ts'

/** Where a process shall die or stop, and how many attempts it waits for there. */
export interface Trap {
  readonly point: string
  readonly gather: number
  readonly signal: 'SIGKILL' | 'SIGSTOP'
}

/** Longer than a full load needs to arrive, well within a lease. */
const GATHER_MS = 3_000
/** What the verdict counts. */
const NOTED = new Set(['spool.after-fsync', 'replay.applied-before-erase'])

export interface TrapSetter {
  readonly hook: Hook
  set(trap: Trap | null): void
}

/**
 * A hook for the protocol's kill points. Whoever comes to the point of the trap waits there for others; when enough
 * have come, or after 3 s, the process kills or stops itself with all of them.
 */
export function createTrapSetter(note: WriteNote): TrapSetter {
  let trap: Trap | null = null
  let waiting = Promise.withResolvers<void>()
  let gathered = 0

  function letGo(): void {
    trap = null
    gathered = 0
    waiting.resolve()
    waiting = Promise.withResolvers()
  }

  function fire({ point, signal }: Trap): void {
    note({ kind: 'fired', at: Date.now(), point, gathered })
    process.kill(process.pid, signal)
    if (signal === 'SIGSTOP') letGo()
  }

  return {
    async hook(point, accountId) {
      if (NOTED.has(point)) note({ kind: 'passed', at: Date.now(), point, accountId })
      const set = trap
      if (set?.point !== point) return
      gathered += 1
      const goOn = waiting.promise
      if (gathered === 1) setTimeout(() => trap === set && fire(set), GATHER_MS).unref()
      if (gathered === set.gather) fire(set)
      await goOn
    },
    set(next) {
      letGo()
      trap = next
    },
  }
}
