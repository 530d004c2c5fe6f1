import { type Clock, systemClock } from '@tokenkeeper/core'
import { expect } from 'vitest'
import type { RefreshOutcome } from '../../src/index.ts'
import { openSceneStore } from './actor.ts'
import type { MatrixWorld } from './matrix-world.ts'

/** What the fleet does after a death, at its own pace: replays spools, takes over what is stale, relays what is left. */
export async function recover(world: MatrixWorld, accountId: string): Promise<RefreshOutcome[]> {
  const outcomes: RefreshOutcome[] = []
  for (let round = 0; round < 6; round++) {
    await world.engine.replaySpools()
    await world.engine.relayAccount(accountId)
    const { attempt, status } = await world.read(accountId)
    if (attempt === null && round > 0) break
    if (status === 'removing' || attempt?.state === 'held') break
    const outcome = await world.refresh(accountId)
    outcomes.push(outcome)
    if ('until' in outcome) passTo(world, outcome.until)
  }
  return outcomes
}

export function passTo(world: MatrixWorld, at: number): void {
  const wait = at - world.clock.now()
  if (wait > 0) world.clockFile.advance(wait + 1)
}

/** While nobody can write the database, no token leaves. */
export async function expectNothingSentWhileStoreIsAway(world: MatrixWorld, accountId: string): Promise<void> {
  // Patience ends early once the store is away, and not while it is opened: that may take its time.
  let haste = 1
  const hasty: Clock = {
    ...systemClock,
    monotonic: () => systemClock.monotonic() * haste,
    sleep: (ms, signal) => systemClock.sleep(ms / haste, signal),
  }
  await using store = await openSceneStore(world.scene, { clock: hasty })
  await using actor = world.newActor({ store })
  const before = world.presentations().length
  const unlock = await world.witness.lock()
  haste = 100
  try {
    const outcome = await actor.engine.refreshAccount(accountId, { type: 'scheduled', force: true })
    expect(outcome).toEqual({ kind: 'not_begun', code: 'STORE_UNAVAILABLE' })
  } finally {
    await unlock()
  }
  expect(world.presentations().length).toBe(before)
}
