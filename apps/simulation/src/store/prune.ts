import type { Prunable } from '@tokenkeeper/store'
import { byId, type From } from './entries.ts'
import type { Transport } from './memory-store.ts'

/** `timeOf` tells how old one is; null = it stays. */
export function createPrune<T extends { readonly id: string }>(
  { write }: Transport,
  from: From<T>,
  timeOf: (one: T) => number | null,
): Prunable {
  return {
    prune: ({ before, limit }) =>
      write({ name: 'prune' }, (data) => {
        const aged = [...from(data).values()].map((one) => ({
          id: one.id,
          time: timeOf(one) ?? Number.POSITIVE_INFINITY,
        }))
        const oldest = aged
          .filter(({ time }) => time < before)
          .toSorted((a, b) => a.time - b.time || byId(a, b))
          .slice(0, limit)
        for (const { id } of oldest) from(data).delete(id)
        return oldest.length
      }),
  }
}
