import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { type Account, makeId } from '@tokenkeeper/core'
import type { AccountWrite, Store } from '@tokenkeeper/store'
import type { BegunAttempt, GenerationChange } from './witness.ts'

/** One line of the journal. Times are the system's, in ms. */
type Note =
  | {
      readonly kind: 'sent'
      readonly id: string
      readonly accountId: string
      readonly when: AccountWrite['when']
      readonly attempt: { readonly id: string; readonly digest: string } | null
      readonly generation: number | null
    }
  | { readonly kind: 'acknowledged'; readonly id: string; readonly at: number }
  | {
      readonly kind: 'seen'
      readonly accountId: string
      readonly generation: number
      readonly attemptId: string | null
      readonly at: number
    }

/**
 * The store, with a journal on disk of every write that touches an attempt or the generation: noted before it is sent,
 * again when it is acknowledged, and whatever was seen to stand. Each line is out before the call goes on, so that a
 * process that is killed leaves what it knew.
 */
export function journaled(store: Store, path: string): Store {
  const note = (line: Note) => appendFileSync(path, `${JSON.stringify(line)}\n`)
  const see = (account: Account | null) => {
    if (!account) return
    const { id: accountId, generation, attempt } = account
    note({ kind: 'seen', accountId, generation, attemptId: attempt?.id ?? null, at: Date.now() })
  }
  return {
    ...store,
    accounts: {
      ...store.accounts,
      async get(accountId) {
        const account = await store.accounts.get(accountId)
        see(account)
        return account
      },
      async write(write) {
        const { accountId, when, change } = write
        const { attempt, generation = null } = change.set ?? {}
        const id = makeId()
        const begun = attempt ? { id: attempt.id, digest: attempt.presentedDigest } : null
        note({ kind: 'sent', id, accountId, when, attempt: begun, generation })
        const applied = await store.accounts.write(write)
        if (applied) note({ kind: 'acknowledged', id, at: Date.now() })
        return applied
      },
    },
  }
}

/** What the journal says of the account. */
export function readJournal(path: string, accountId: string) {
  const notes = existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n').map(parse) : []
  const acknowledged = new Map(notes.flatMap((note) => (note.kind === 'acknowledged' ? [[note.id, note.at]] : [])))
  const ofAccount = notes.filter((note) => note.kind !== 'acknowledged').filter((note) => note.accountId === accountId)
  const sent = ofAccount.filter((note) => note.kind === 'sent')
  const seen = ofAccount.filter((note) => note.kind === 'seen')
  /** What was read, and what an acknowledged write had to find there in order to match. */
  const stood = new Set([
    ...seen.map(({ attemptId }) => attemptId),
    ...sent.flatMap(({ id, attempt, when }) => (acknowledged.has(id) ? [attempt?.id, when.attemptId] : [])),
  ])

  return {
    begun(): BegunAttempt[] {
      const attempts = sent.flatMap(({ attempt, when: { generation = 0 } }) =>
        attempt ? [{ ...attempt, generation, certain: stood.has(attempt.id) }] : [],
      )
      return attempts.filter(({ id }, i) => attempts.findIndex((attempt) => attempt.id === id) === i)
    },
    /** One whose acknowledgement was lost counts from when its result was first read. */
    generations(): GenerationChange[] {
      const rises = sent.flatMap(({ id, generation: to, when: { generation: from = 0 } }) =>
        to === null ? [] : [{ from, to, at: acknowledged.get(id) }],
      )
      const known = rises.filter((rise): rise is GenerationChange => rise.at !== undefined)
      for (const { from, to } of rises) {
        const first = seen.find(({ generation }) => generation === to)
        if (first && !known.some((rise) => rise.to === to)) known.push({ from, to, at: first.at })
      }
      return known.toSorted((a, b) => a.to - b.to)
    },
    /** Every generation that was read. */
    generationsSeen: (): number[] => [...new Set(seen.map(({ generation }) => generation))].toSorted((a, b) => a - b),
  }
}

function parse(line: string): Note {
  return JSON.parse(line)
}
