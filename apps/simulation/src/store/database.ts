import type { Account } from '@tokenkeeper/core'
import { copyData, type Data, emptyData } from './data.ts'

/** The same change gives the same result wherever it is carried out; one that throws has changed nothing. */
export type Change<T> = (data: Data) => T

/** What a change is about, for those who watch or disturb it. */
export interface About {
  /** The protocol's name of a write, or of another call. */
  readonly name: string
  readonly accountId?: string
  /** Present on a compare-and-set. */
  readonly when?: unknown
}

/** Sees what each change made of an account, once it is durable; null = there is none. */
export type Watch = (about: About, before: Account | null, after: Account | null) => void

export interface Database {
  /** What a majority of the servers holds: durable, and what readers see. */
  readonly majority: Data
  /** What the primary holds: writes are decided here, and what a majority does not have yet may be lost. */
  readonly primary: Data
  /** Carries a change out at the primary. `end` is told later whether it became durable. */
  apply<T>(about: About, change: Change<T>, end: (durable: boolean) => void): T
  /** Makes the oldest so many changes durable, or all. */
  replicate(count?: number): void
  /** How many changes only the primary has. */
  readonly ahead: number
  /** Another server becomes primary: what a majority does not have is gone. */
  failOver(): void
}

/** A database on several servers, of which the primary may be ahead. */
export function createDatabase(watch: Watch = () => {}): Database {
  const majority = emptyData()
  let primary = emptyData()
  let ahead: { readonly about: About; readonly change: Change<unknown>; readonly end: (durable: boolean) => void }[] =
    []

  function makeDurable(about: About, change: Change<unknown>): void {
    const account = () => majority.accounts.get(about.accountId ?? '') ?? null
    const before = account()
    change(majority)
    const after = account()
    if (after !== before) watch(about, before, after)
  }

  return {
    majority,
    get primary() {
      return primary
    },
    get ahead() {
      return ahead.length
    },
    apply(about, change, end) {
      const result = change(primary)
      ahead.push({ about, change, end })
      return result
    },
    replicate(count = ahead.length) {
      for (const { about, change, end } of ahead.splice(0, count)) {
        makeDurable(about, change)
        end(true)
      }
    },
    failOver() {
      const lost = ahead
      ahead = []
      primary = copyData(majority)
      for (const { end } of lost) end(false)
    },
  }
}
