import { HOUR } from './clock.ts'

/** BullMQ's priorities run from 1 (first) to this (last); it documents 2^21 and refuses it. */
const LAST = 2 ** 21 - 1

/** Job priority from the time left: one step an hour, the soonest death first. Unknown ends come last. */
export function priorityByTimeLeft(diesAt: number | null, now: number): number {
  if (diesAt === null) return LAST
  return Math.min(LAST, Math.max(1, 1 + Math.floor((diesAt - now) / HOUR)))
}
