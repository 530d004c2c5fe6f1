import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { buildAccount } from '../../src/conformance/build-account.ts'
import type { StoreFixture } from '../../src/conformance/fixture.ts'
import type { Store } from '../../src/index.ts'
import { runChild, startChild } from './processes.ts'

export interface ProcessFixture extends StoreFixture {
  /** For openStore. */
  readonly url: string
}

/** Declares tests with several processes on one store. `open` is called once for each test. */
export function processTests(open: () => Promise<ProcessFixture>): void {
  test('no increment by compare-and-set is lost or counted twice', async () => {
    await using fixture = await open()
    const ids = await insertSome(fixture.store, 3)
    const outputs = await Promise.all(
      Array.from({ length: 4 }, () => runChild('increment.ts', fixture.url, '25', ...ids)),
    )
    const counted = outputs.flatMap((output) => JSON.parse(output) as string[])
    expect(counted).toHaveLength(4 * 25 * ids.length)
    const told = (await fixture.store.accounts.getMany(ids)).flatMap(({ generation, outbox }) => {
      expect(generation).toBe(1 + 100)
      return outbox.map(({ id }) => id)
    })
    expect(told.toSorted()).toEqual(counted.toSorted())
  })

  test('SIGKILL amid writes loses nothing that was acknowledged', async () => {
    await using fixture = await open()
    const ids = await insertSome(fixture.store, 15)
    await fixture.store[Symbol.asyncDispose]()

    const child = startChild('commit-forever.ts', fixture.url, ...ids)
    const acknowledged = new Map<string, number>()
    let lines = 0
    for await (const line of createInterface({ input: child.stdout! })) {
      const [id, generation] = line.split(' ')
      acknowledged.set(id!, Number(generation))
      if (++lines === 400) child.kill('SIGKILL')
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    expect(child.signalCode).toBe('SIGKILL')

    const store = await fixture.openSecond()
    expect(acknowledged.size).toBe(ids.length)
    for (const [id, generation] of acknowledged) {
      const account = (await store.accounts.get(id))!
      expect(account.generation).toBeGreaterThanOrEqual(generation)
      expect(account.sealedCredential).toBe(`credential-${account.generation}`)
      expect(account.outbox).toHaveLength(account.generation - 1)
    }
    await store.ping()
  })
}

async function insertSome(store: Store, count: number): Promise<string[]> {
  const accounts = Array.from({ length: count }, () => buildAccount())
  await Promise.all(accounts.map((account) => store.accounts.insert(account)))
  return accounts.map(({ id }) => id)
}
