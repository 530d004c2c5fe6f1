import { buildAccount } from '../../src/conformance/build-account.ts'
import { openStore } from '../../src/index.ts'

// Opens a store and inserts an account of this id.
const [url, id] = process.argv.slice(2)
await using store = await openStore(url!)
await store.accounts.insert(buildAccount({ id: id! }))
process.stdout.write('inserted')
