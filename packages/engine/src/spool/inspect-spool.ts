import { DatabaseSync } from 'node:sqlite'
import type { Clock } from '@tokenkeeper/core'
import { createSpool, spoolFiles } from './create-spool.ts'
import { readRecord } from './record.ts'
import { isLocked } from './spool-file.ts'

/** How the spools of this machine are, for people who look after it. */
export interface SpoolState {
  /** Spools of processes that live. */
  readonly inUse: number
  /** Answers that dead processes have left, and that no replay has brought in yet. */
  readonly leftOver: number
  /** When the oldest of those was given (ms). */
  readonly oldestAt: number | null
  /** Records or files that cannot be read. */
  readonly unreadable: number
}

/** Reads alone: what dead processes have left stays for a replay. */
export function inspectSpool(dir: string): SpoolState {
  const state = { inUse: 0, leftOver: 0, oldestAt: null as number | null, unreadable: 0 }
  for (const path of spoolFiles(dir)) {
    try {
      using db = new DatabaseSync(path, { readOnly: true, timeout: 0 })
      for (const { record } of db.prepare('SELECT record FROM results').all()) {
        const result = readRecord(String(record))
        if (result === null) state.unreadable++
        else {
          state.leftOver++
          state.oldestAt = Math.min(state.oldestAt ?? Number.POSITIVE_INFINITY, result.answeredAt)
        }
      }
    } catch (error) {
      if (isLocked(error)) state.inUse++
      else state.unreadable++
    }
  }
  return state
}

/** Makes a spool in the directory as a worker does, and takes it away again. Throws SPOOL_UNAVAILABLE. */
export function probeSpool(dir: string, clock: Clock): void {
  using spool = createSpool({ dir, clock })
  spool.check()
}
