import { CodedError } from '@tokenkeeper/core'
import { buildAccount } from '../../src/conformance/build-account.ts'
import { createSqliteStore } from '../../src/sqlite/index.ts'

// Inserts accounts until the disk is full; prints the error's code, the ids that were acknowledged and how many of them
// can still be read.
await using store = createSqliteStore({ path: process.argv[2]! })
const ids: string[] = []
let code: string | null = null
while (code === null) {
  const account = buildAccount({ sealedCredential: 'x'.repeat(50_000) })
  try {
    await store.accounts.insert(account)
    ids.push(account.id)
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    code = error.code
  }
}
process.stdout.write(JSON.stringify({ code, ids, readable: (await store.accounts.getMany(ids)).length }))
