import type { Arena } from '../world/arena.ts'
import type { World } from '../world/world.ts'
import { deadSessions, heldDeaths, reconnectAtVerdict } from './dead-sessions.ts'
import type { Fault } from './fault.ts'
import { killAtRandom } from './kill-at-random.ts'
import { killAtStep } from './kill-at-step.ts'
import { killInRecovery } from './kill-in-recovery.ts'
import { killOnTheWire } from './kill-on-the-wire.ts'
import { killWhileReleasing } from './kill-while-releasing.ts'
import { lostAnswers } from './lost-answers.ts'
import { pdsRestart } from './pds-restart.ts'
import { peopleAtWork } from './people-at-work.ts'
import { redisAway } from './redis-away.ts'
import { slowAnswers } from './slow-answers.ts'
import { spoolFull, spoolReadOnly } from './spool-unwritable.ts'
import { stallJobs } from './stall-jobs.ts'
import { stopPastLease } from './stop-past-lease.ts'
import { storeAway } from './store-away.ts'
import { storeAwayAtAnswer } from './store-away-at-answer.ts'
import { storm } from './storm.ts'

/** Those that strike any fleet, whatever program it runs. */
export const COMMON_FAULTS: readonly Fault<Arena>[] = [
  killAtRandom,
  killOnTheWire,
  lostAnswers,
  pdsRestart,
  redisAway,
  stallJobs,
  storeAway,
  storm,
]

/** Those that know the protocol's steps, its spool or its people. */
const OWN_FAULTS: readonly Fault[] = [
  deadSessions,
  heldDeaths,
  killAtStep,
  killInRecovery,
  killWhileReleasing,
  peopleAtWork,
  reconnectAtVerdict,
  slowAnswers,
  stopPastLease,
  storeAwayAtAnswer,
]
/** They need a small disk for the spool. */
const SPOOL_FAULTS: readonly Fault[] = [spoolFull, spoolReadOnly]

export const FAULT_NAMES = [...COMMON_FAULTS, ...OWN_FAULTS, ...SPOOL_FAULTS].map(({ name }) => name)

export function possibleFaults({ spoolDisk }: World): readonly Fault[] {
  return [...COMMON_FAULTS, ...OWN_FAULTS, ...(spoolDisk ? SPOOL_FAULTS : [])]
}

/** Deals all faults in one shuffled order after another, so that none is left out for long. */
export interface Deck<Place> {
  deal(): Fault<Place>
  /** To the bottom, to come when the others are dealt. */
  putBack(fault: Fault<Place>): void
}

export function createDeck<Place extends Pick<Arena, 'options' | 'random'>>(
  faults: readonly Fault<Place>[],
  { options: { only }, random }: Place,
): Deck<Place> {
  const strange = only?.filter((wanted) => faults.every(({ name }) => name !== wanted)) ?? []
  if (strange.length > 0) {
    throw new Error(`No such fault here: ${strange.join(', ')}. There are ${faults.map(({ name }) => name).join(', ')}`)
  }
  const cards = faults
    .filter(({ name }) => !only || only.includes(name))
    .flatMap((fault) => Array.from({ length: fault.weight }, () => fault))
  let rest: Fault<Place>[] = []
  return {
    deal() {
      if (rest.length === 0) rest = random.shuffle(cards)
      return rest.pop()!
    },
    putBack: (fault) => void rest.unshift(fault),
  }
}
