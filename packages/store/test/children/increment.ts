import { makeId } from '@tokenkeeper/core'
import { buildLogItem } from '../../src/conformance/build-account.ts'
import { openStore } from '../../src/index.ts'

// Increments generations by compare-and-set until so many of its own have counted; prints the ids of those.
const [url, times, ...accountIds] = process.argv.slice(2)
await using store = await openStore(url!)

async function increment(accountId: string): Promise<string> {
  for (;;) {
    const { generation } = (await store.accounts.get(accountId))!
    const item = buildLogItem({ id: makeId(), accountId })
    const change = { set: { generation: generation + 1 }, tell: [item] }
    if (await store.accounts.write({ name: 'increment', accountId, when: { generation }, change })) return item.id
    const { outbox } = (await store.accounts.get(accountId))! // false may also mean unknown
    if (outbox.some(({ id }) => id === item.id)) return item.id
  }
}

const counted = accountIds.map(async (accountId) => {
  const ids: string[] = []
  while (ids.length < Number(times)) ids.push(await increment(accountId))
  return ids
})
process.stdout.write(JSON.stringify((await Promise.all(counted)).flat()))
