import { expect } from 'vitest'
import type { MatrixWorld } from './matrix-world.ts'

/**
 * I1 to I6 for one account, once all is settled, seen from outside: the PDS, the wire, and the witness of the writes.
 * `allowed`: presentations after the successor's commit that I2 allows in this trace (late ones and witnesses).
 */
export async function expectHealthy(world: MatrixWorld, accountId: string, allowed = 0): Promise<void> {
  const account = await world.read(accountId)
  expect({ status: account.status, attempt: account.attempt, outbox: account.outbox }).toEqual({
    status: 'active',
    attempt: null,
    outbox: [],
  })
  // One that lay in a spool for hours is past its access token, not past its refresh token.
  if ((account.accessExpiresAt ?? 0) > world.clock.now()) {
    expect(await world.works(account)).toBe(true)
  }
  await expectLogged(world, accountId)
  expectNoDoubleSpend(world, accountId, allowed)
  // The refresh token in the store is the living one, not only its access token.
  expect(await world.refresh(accountId)).toMatchObject({ kind: 'refreshed' })
}

/** I5: every attempt that began has exactly one entry, and there is no other. */
export async function expectLogged(world: MatrixWorld, accountId: string): Promise<void> {
  const logged = (await world.witness.logged(accountId)).map((entry) => entry.id)
  // One of which nobody learned whether it began may have an entry.
  const begun = world.witness.begun(accountId).filter(({ id, certain }) => certain || logged.includes(id))
  expect(logged.toSorted()).toEqual(begun.map((attempt) => attempt.id).toSorted())
}

/** I2 and I3: no token goes out after its successor was committed, and generations only rise, one by one. */
export function expectNoDoubleSpend(world: MatrixWorld, accountId: string, allowed = 0): void {
  const generations = world.witness.generations(accountId)
  for (const { from, to } of generations) expect(to).toBe(from + 1)
  expect(new Set(generations.map(({ to }) => to)).size).toBe(generations.length)
  const spent = world.witness.begun(accountId).flatMap(({ generation, digest }) => {
    const committed = generations.find((change) => change.from === generation)
    return committed ? [{ digest, after: committed.at }] : []
  })
  const late = world
    .presentations()
    .filter((request) => spent.some(({ digest, after }) => request.tokenDigest === digest && request.at > after + 1))
  expect(late.length).toBeLessThanOrEqual(allowed)
}
