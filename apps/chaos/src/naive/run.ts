import { HOUR } from '@tokenkeeper/core'
import { until } from '@tokenkeeper/testkit'
import { COMMON_FAULTS, createDeck } from '../faults/deck.ts'
import { WEEK } from '../load.ts'
import { dealRound, strike } from '../rounds.ts'
import { inLanes } from '../world/users.ts'
import type { NaiveArena } from './arena.ts'

export interface NaiveVerdict {
  readonly seed: number
  readonly naive: true
  readonly interruptions: number
  readonly kills: number
  /** Sessions that a user had to log in again for, without having done anything. */
  readonly lostSessions: number
  /** Those of them that were alive at the PDS, and given up all the same. */
  readonly givenUpAlive: number
}

/** Longer than BullMQ's default search for stalled jobs takes to bring back what a kill left. */
const DRAINED_WITHIN_MS = 90_000
const AT_ONCE = 16

/** The same rounds for naive workers: after each, whoever has lost the session logs in again, and that is counted. */
export async function runNaive(arena: NaiveArena, say: (line: string) => void): Promise<NaiveVerdict> {
  const { fleet, options, random } = arena
  const deck = createDeck(COMMON_FAULTS, arena)
  let lostSessions = 0
  let givenUpAlive = 0
  for (let round = 1; arena.interrupted() < options.interruptions && round <= options.rounds; round++) {
    const { faults } = dealRound(deck, random)
    arena.clockFile.advance(WEEK)
    await strike(arena, faults)
    await fleet.complete()
    await drained(arena)
    const lost = await logInAgain(arena)
    lostSessions += lost.all
    givenUpAlive += lost.alive
    const names = faults.map(({ name }) => name).join(' + ')
    say(`${round} ${names}: ${arena.interrupted()} interrupted, ${lost.all} lost in this round`)
  }
  return {
    seed: options.seed,
    naive: true,
    interruptions: arena.interrupted(),
    kills: fleet.kills,
    lostSessions,
    givenUpAlive,
  }
}

async function drained({ queue }: NaiveArena): Promise<void> {
  const isEmpty = async () => {
    const counts = await queue.getJobCounts('active', 'waiting', 'delayed', 'prioritized')
    return Object.values(counts).every((count) => count === 0)
  }
  await until(isEmpty, { what: 'the queue to be empty', timeoutMs: DRAINED_WITHIN_MS, everyMs: 250 })
}

/** What is stored is tried past the grace, as it would be at the next refresh; who has lost the session logs in. */
async function logInAgain({ db, users, pds, clockFile }: NaiveArena): Promise<{ all: number; alive: number }> {
  clockFile.advance(3 * HOUR)
  const read = db.prepare('SELECT session, status FROM accounts WHERE did = ?')
  const save = db.prepare("UPDATE accounts SET session = ?, status = 'connected' WHERE did = ?")
  const lost = { all: 0, alive: 0 }
  await inLanes(users, AT_ONCE, async ({ did, handle, password }) => {
    const { session, status } = read.get(did)!
    const { status: answered, body } = await pds.refreshSession(JSON.parse(String(session)).refreshJwt)
    const isAlive = answered === 200
    if (isAlive && status === 'connected') return void save.run(toSession(body), did)
    lost.all += 1
    if (isAlive) lost.alive += 1
    const login = await pds.createSession(handle, password)
    save.run(toSession(login.body), did)
  })
  return lost
}

function toSession({ did, handle, accessJwt, refreshJwt }: Record<string, unknown>): string {
  return JSON.stringify({ did, handle, accessJwt, refreshJwt, active: true })
}
