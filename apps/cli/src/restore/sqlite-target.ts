import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Clock, hasCode } from '@tokenkeeper/core'
import { isInUse, moveFile, partsOf, verifyFile } from '@tokenkeeper/store'
import type { Target } from './target.ts'

/** The database file at `path`. What stands there is moved aside and never deleted. */
export function sqliteTarget(path: string, clock: Clock): Target {
  const file = resolve(path)
  return {
    kind: 'sqlite',
    name: file,
    workPath: file,
    isInUse: () => existsSync(file) && isInUse(file),
    isFree: async () => !existsSync(file) || isEmpty(file),
    canReplace: true,
    async put(stage) {
      const aside = partsOf(file).length > 0 ? `${file}.replaced-${timestamp(clock.now())}` : null
      if (aside !== null) moveFile(file, aside)
      moveFile(stage, file)
      return aside
    },
  }
}

/** A damaged one, too, may hold something. */
function isEmpty(file: string): boolean {
  try {
    return verifyFile(file).accounts === 0
  } catch (error) {
    if (hasCode(error, 'BACKUP_INVALID')) return false
    throw error
  }
}

function timestamp(time: number): string {
  return new Date(time).toISOString().replaceAll(/[:.]/g, '-')
}
