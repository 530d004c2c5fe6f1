import { closeSync, openSync, readdirSync, readSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Note } from './notes.ts'

/** Who wrote it: the name of the journal, one for each process. */
export type NoteBy = Note & { readonly by: string }

const CHUNK = 1 << 20

/** Reads on in all journals of a directory at each call. A line that a death cut short is left out. */
export function tailJournals(dir: string): () => NoteBy[] {
  const files = new Map<string, { readonly file: number; offset: number; rest: string }>()
  const chunk = Buffer.alloc(CHUNK)

  function readOn(name: string): NoteBy[] {
    let state = files.get(name)
    if (!state) {
      state = { file: openSync(join(dir, name), 'r'), offset: 0, rest: '' }
      files.set(name, state)
    }
    const notes: NoteBy[] = []
    for (;;) {
      const bytes = readSync(state.file, chunk, 0, CHUNK, state.offset)
      if (bytes === 0) return notes
      state.offset += bytes
      const lines = (state.rest + chunk.toString('latin1', 0, bytes)).split('\n')
      state.rest = lines.pop()!
      const by = basename(name, '.jsonl')
      for (const line of lines) notes.push({ ...(JSON.parse(line) as Note), by })
    }
  }

  return Object.assign(() => readdirSync(dir).flatMap(readOn), {
    [Symbol.dispose]() {
      for (const { file } of files.values()) closeSync(file)
    },
  })
}
