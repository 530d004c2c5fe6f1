import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CodedError } from '@tokenkeeper/core'
import { copyStore, createSqliteStore, openStore } from '@tokenkeeper/store'
import type { Target } from './target.ts'

/** A database in MongoDB, which must be empty. A copy that was cut off is known by a file beside its stage, and goes on. */
export function mongoTarget(url: string, dataDir: string): Target {
  return {
    kind: 'mongodb',
    name: url,
    workPath: join(dataDir, 'restore'),
    isInUse: () => false,
    async isFree(stage) {
      await using store = await openStore(url)
      return existsSync(markOf(stage)) || (await store.accounts.count({})) === 0
    },
    canReplace: false,
    async put(stage, onProgress) {
      writeFileSync(markOf(stage), '', { mode: 0o600 })
      {
        await using source = createSqliteStore({ path: stage })
        await using store = await openStore(url)
        const { reasons } = await copyStore(source, store, { onBatch: (_kind, { read }) => onProgress(read) })
        if (Object.values(reasons).some((count) => count > 0)) {
          throw new CodedError('STORE_NOT_EMPTY', {
            publicMessage: 'The database was changed while the backup was copied to it: name an empty one.',
          })
        }
      }
      for (const rest of [markOf(stage), stage]) rmSync(rest)
      return null
    },
  }
}

function markOf(stage: string): string {
  return `${stage}.copying`
}
