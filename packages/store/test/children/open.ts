import { CodedError } from '@tokenkeeper/core'
import { createSqliteStore } from '../../src/sqlite/index.ts'

// Opens a store as an unprivileged user, since root may write anywhere; prints the error's code, or `opened`.
if (process.getuid?.() === 0) process.seteuid!(65_534)
try {
  await createSqliteStore({ path: process.argv[2]! })[Symbol.asyncDispose]()
  process.stdout.write('opened')
} catch (error) {
  if (!(error instanceof CodedError)) throw error
  process.stdout.write(error.code)
}
