import { openSync, writeSync } from 'node:fs'
import type { Note } from './notes.ts'

export type WriteNote = (note: Note) => void

/**
 * A journal on disk of its own for one process. Each note is handed to the system before the call goes on, so that a
 * process that is killed leaves what it knew.
 */
export function openJournal(path: string): WriteNote {
  const file = openSync(path, 'a')
  return (note) => void writeSync(file, `${JSON.stringify(note)}\n`)
}
