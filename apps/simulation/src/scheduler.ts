/** Virtual time and what is to happen in it. Nothing happens but through here, one event after another. */
export interface Scheduler {
  /** ms since the epoch; fractions order what happens within one millisecond. */
  now(): number
  /** Calls `action` in `ms`, unless it has become void by then: time does not wait for that. Returns how to call it off. */
  in(ms: number, action: () => void, isVoid?: () => boolean): () => void
  /** Calls `action` at the end of this step. */
  soon(action: () => void): void
  /** When the next event happens; Infinity if none is left. */
  nextAt(): number
  /** Carries out the next event, and all that follows from it without another event. */
  step(): Promise<void>
  /** Moves the clock on to a time before the next event. */
  passTo(time: number): void
}

interface Event {
  readonly at: number
  readonly order: number
  readonly isVoid: () => boolean
  action: (() => void) | null
}

const never = () => false

export function createScheduler(start: number): Scheduler {
  const heap: Event[] = []
  const atEnd: (() => void)[] = []
  let now = start
  let order = 0

  function dropCalledOff(): Event | undefined {
    while (heap[0] && (heap[0].action === null || heap[0].isVoid())) pop(heap)
    return heap[0]
  }

  return {
    now: () => now,
    in(ms, action, isVoid = never) {
      const event: Event = { at: now + Math.max(0, ms), order: order++, isVoid, action }
      push(heap, event)
      return () => {
        event.action = null
      }
    },
    soon: (action) => void atEnd.push(action),
    nextAt: () => dropCalledOff()?.at ?? Number.POSITIVE_INFINITY,
    async step() {
      const event = dropCalledOff()
      if (!event) return
      pop(heap)
      now = event.at
      event.action?.()
      await settled()
      for (let action = atEnd.shift(); action; action = atEnd.shift()) action()
    },
    passTo(time) {
      now = Math.max(now, time)
    },
  }
}

/** Resolves when no promise has anything left to do: Node empties that queue before it turns to `nextTick`. */
export function settled(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve))
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

function push(heap: Event[], event: Event): void {
  let i = heap.push(event) - 1
  while (i > 0) {
    const parent = (i - 1) >> 1
    if (isBefore(heap[parent]!, event)) break
    heap[i] = heap[parent]!
    i = parent
  }
  heap[i] = event
}

function pop(heap: Event[]): void {
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return
  let i = 0
  for (;;) {
    let child = 2 * i + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
    if (isBefore(last, heap[child]!)) break
    heap[i] = heap[child]!
    i = child
  }
  heap[i] = last
}
