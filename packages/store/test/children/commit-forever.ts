import { buildLogItem } from '../../src/conformance/build-account.ts'
import { openStore } from '../../src/index.ts'

// Moves all accounts from generation to generation and prints each acknowledgement, until it is killed.
const [url, ...accountIds] = process.argv.slice(2)
const store = await openStore(url!)

async function commitForever(accountId: string): Promise<void> {
  for (let generation = 1; ; generation++) {
    const set = { generation: generation + 1, sealedCredential: `credential-${generation + 1}` }
    const change = { set, keepPrevious: true, tell: [buildLogItem()] }
    if (!(await store.accounts.write({ name: 'commit', accountId, when: { generation }, change }))) process.exit(1)
    process.stdout.write(`${accountId} ${generation + 1}\n`)
  }
}

await Promise.all(accountIds.map(commitForever))
