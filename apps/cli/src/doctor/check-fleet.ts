import { MINUTE } from '@tokenkeeper/core'
import type { FleetInspection } from '@tokenkeeper/queue'
import { type Finding, failed, ok, skipped, warning } from './finding.ts'

/** A sweep that is so late is taken by nobody. */
const LATE_MS = 2 * MINUTE

/** Are there workers, does a scheduler look, and may they work? */
export function checkFleet({ workers, paused, registered }: FleetInspection, now: number): Finding[] {
  return [ofWorkers(workers), ofScheduler(registered, now), ...paused.map(ofPaused)]
}

function ofWorkers(workers: FleetInspection['workers']): Finding {
  if (workers === null) return skipped('This Redis does not tell who is connected to it.')
  const idle = Object.entries(workers).filter(([, count]) => count === 0)
  if (idle.length === 0) return ok(`Workers at work: ${Math.min(...Object.values(workers))}.`)
  return failed(
    `No worker takes jobs of ${idle.map(([queue]) => queue).join(', ')}.`,
    'Start one (`serve`, or apps/worker), with the same REDIS_URL and QUEUE_PREFIX as here.',
  )
}

function ofScheduler(registered: FleetInspection['registered'], now: number): Finding {
  const sweep = registered.find(({ id }) => id === 'sweep')
  if (sweep === undefined) {
    return failed(
      'No scheduler has registered the sweep, which finds what is due.',
      'Start one (`serve`, or apps/scheduler), with the same REDIS_URL and QUEUE_PREFIX as here.',
    )
  }
  if (sweep.next !== null && now - sweep.next > LATE_MS) {
    return failed('The sweep is late: nobody takes it.', 'Start a worker, or see in its log what keeps it.')
  }
  return ok('The sweep, which finds what is due, comes regularly.')
}

function ofPaused(queue: string): Finding {
  return warning(`The queue ${queue} is paused: its jobs wait.`, 'Resume it in Bull Board (/queues).')
}
