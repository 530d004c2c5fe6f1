import type { Fault, FaultHandle, FaultRule, ProxiedRequest } from './fault.ts'

/** One request hit by one rule. */
export interface Hit {
  readonly fault: Fault
  /** Says that the rule's moment has come. */
  reach(): void
  /** Resolves when the rule is released. */
  readonly released: Promise<void>
}

export interface Rules {
  add(rule: FaultRule): FaultHandle
  /** The oldest rule that matches and is not used up. */
  hit(request: ProxiedRequest): Hit | undefined
  clear(): void
}

interface Entry {
  readonly handle: FaultHandle
  hit(request: ProxiedRequest): Hit | undefined
}

export function makeRules(): Rules {
  // A used up rule stays until it is released: it may hold requests.
  const entries = new Set<Entry>()
  return {
    add(rule) {
      const entry = makeEntry(rule, () => entries.delete(entry))
      entries.add(entry)
      return entry.handle
    },
    hit(request) {
      for (const entry of entries) {
        const hit = entry.hit(request)
        if (hit) return hit
      }
      return undefined
    },
    clear() {
      for (const { handle } of entries) handle.release()
    },
  }
}

function makeEntry(rule: FaultRule, remove: () => void): Entry {
  const { match = () => true, times = Number.POSITIVE_INFINITY } = rule
  const reached = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  let hits = 0
  return {
    handle: {
      reached: reached.promise,
      get hits() {
        return hits
      },
      release() {
        remove()
        released.resolve()
      },
    },
    hit(request) {
      if (hits >= times || !match(request)) return undefined
      hits += 1
      return { fault: rule, reach: reached.resolve, released: released.promise }
    },
  }
}
