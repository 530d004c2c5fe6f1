import { randomFillSync } from 'node:crypto'

/** Asking the system for few bytes costs as much as for many. */
const pool = Buffer.alloc(4_096)
let used = pool.length

/** Random bytes, as of node:crypto (64 at most), each given out once. */
export function randomBytes(size: number): Buffer {
  if (used + size > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += size
  return Buffer.from(pool.subarray(used - size, used))
}
