import type { AttemptOutcome } from '@tokenkeeper/core'
import { endOf, type WriteSent } from './notes.ts'
import { type NoteBy, tailJournals } from './tail.ts'

/** An attempt as the journals tell of it. Times are the system's, in ms. */
export interface AttemptHistory {
  readonly id: string
  readonly accountId: string
  /** Of the token that it presents. */
  readonly digest: string
  /** The process that began it. */
  readonly by: string
  readonly sentAt: number
  /** False while nobody has learned whether its Begin was applied. */
  certain: boolean
  /** Its own end. */
  end?: { readonly at: number; readonly outcome: AttemptOutcome; readonly by: string }
  /** When another attempt was seen to take its place. */
  displacedAt?: number
  /** When a write of its successor was refused first. */
  commitRefusedAt?: number
}

/** A credential that was written to the store. */
export interface StoredCredential {
  readonly accountId: string
  readonly sealed: string
  /** Not before it was applied; undefined while nobody has seen it there. */
  at?: number
}

export interface AccountHistory {
  readonly attempts: AttemptHistory[]
  readonly credentials: StoredCredential[]
}

export interface History {
  readonly accounts: ReadonlyMap<string, AccountHistory>
  readonly attempts: ReadonlyMap<string, AttemptHistory>
  /** How often a counted point was passed. */
  readonly passed: ReadonlyMap<string, number>
  /** Traps that fired: when, by whom, with how many attempts. */
  readonly fired: readonly {
    readonly at: number
    readonly by: string
    readonly point: string
    readonly gathered: number
  }[]
  /** Takes in what was written since. */
  read(): void
}

/** Puts together what all processes wrote down. */
export function createHistory(dir: string): History {
  const tail = tailJournals(dir)
  const accounts = new Map<string, AccountHistory>()
  const attempts = new Map<string, AttemptHistory>()
  const credentials = new Map<string, StoredCredential>()
  const pending = new Map<string, WriteSent & { readonly by: string }>()
  /** Who first sent which end of which attempt. */
  const ends = new Map<string, string>()
  // A journal may be read before the one that it answers to.
  const standing = new Set<string>()
  const storedAt = new Map<string, number>()
  const passed = new Map<string, number>()
  const fired: { at: number; by: string; point: string; gathered: number }[] = []

  function accountOf(id: string): AccountHistory {
    const known = accounts.get(id) ?? { attempts: [], credentials: [] }
    accounts.set(id, known)
    return known
  }

  function takeSent(note: WriteSent & { readonly by: string }): void {
    const { accountId, begins, ends: ended, stores, by, at } = note
    pending.set(`${by} ${note.n}`, note)
    if (begins && !attempts.has(begins.id)) {
      const { id, digest } = begins
      const attempt = { id, digest, accountId, by, sentAt: at, certain: standing.has(id) }
      attempts.set(id, attempt)
      accountOf(accountId).attempts.push(attempt)
    }
    if (ended && !ends.has(`${ended.id} ${ended.outcome}`)) ends.set(`${ended.id} ${ended.outcome}`, by)
    if (!stores) return
    const end = endOf(stores.sealed)
    const seenAt = storedAt.get(end)
    const credential = { accountId, sealed: stores.sealed, ...(seenAt !== undefined && { at: seenAt }) }
    credentials.set(end, credential)
    accountOf(accountId).credentials.push(credential)
  }

  function takeAcknowledged(by: string, n: number, applied: boolean, at: number): void {
    const note = pending.get(`${by} ${n}`)
    pending.delete(`${by} ${n}`)
    if (!note) return
    const { begins, ends: ended, standing: displaced, stores } = note
    if (!applied) {
      const attempt = stores && ended && attempts.get(ended.id)
      if (attempt) attempt.commitRefusedAt ??= at
      return
    }
    if (begins) markCertain(begins.id)
    if (ended) markEnded(ended, at)
    if (displaced) {
      markCertain(displaced)
      const isOwn = ended?.id === displaced || (begins === undefined && ended === undefined)
      if (!isOwn) markDisplaced(displaced, at)
    }
    if (stores) markStored(endOf(stores.sealed), at)
  }

  function markCertain(id: string): void {
    standing.add(id)
    const attempt = attempts.get(id)
    if (attempt) attempt.certain = true
  }

  function markEnded({ id, outcome }: { id: string; outcome: AttemptOutcome }, at: number): void {
    const attempt = attempts.get(id)
    if (!attempt) return
    attempt.certain = true
    attempt.end ??= { at, outcome, by: ends.get(`${id} ${outcome}`) ?? attempt.by }
  }

  function markDisplaced(id: string, at: number): void {
    const attempt = attempts.get(id)
    if (attempt) attempt.displacedAt ??= at
  }

  function markStored(sealedEnd: string, at: number): void {
    const credential = credentials.get(sealedEnd)
    if (!credential) storedAt.set(sealedEnd, storedAt.get(sealedEnd) ?? at)
    else credential.at ??= at
  }

  function take(note: NoteBy): void {
    switch (note.kind) {
      case 'sent':
        takeSent(note)
        break
      case 'acknowledged':
        takeAcknowledged(note.by, note.n, note.applied, note.at)
        break
      case 'seen':
        if (note.attemptId) markCertain(note.attemptId)
        if (note.last) markEnded(note.last, note.at)
        markStored(note.sealedEnd, note.at)
        break
      case 'passed':
        passed.set(note.point, (passed.get(note.point) ?? 0) + 1)
        break
      case 'fired':
        fired.push(note)
    }
  }

  return {
    accounts,
    attempts,
    passed,
    fired,
    read() {
      for (const note of tail().toSorted((a, b) => a.at - b.at)) take(note)
    },
  }
}
