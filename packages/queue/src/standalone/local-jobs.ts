import { EventEmitter, once } from 'node:events'
import { type Account, attemptKey } from '@tokenkeeper/core'
import type { RefreshOptions } from '@tokenkeeper/engine'
import type { LocalDeps } from '../deps.ts'
import type { RunJobs } from '../runs/step-run.ts'
import type { DueJobs } from '../sweep.ts'

/** What is swept waits outside while this many jobs wait here, so that memory does not follow what is due. */
const MOST_WAITING = 500

export interface LocalJobs extends RunJobs, DueJobs {
  /** Before everything that waits. */
  recover(accounts: readonly Pick<Account, 'id'>[]): void
  /** Resolves when nothing is at work, nor waits; once the signal has come, when nothing is at work. */
  idle(): Promise<void>
}

interface Job {
  readonly key: string
  readonly work: () => Promise<unknown>
}

/** The queues of a process that has no Redis: `concurrency` jobs at once, none begun once the signal has come. */
export function createLocalJobs(
  { engine, settings, logger }: Pick<LocalDeps, 'engine' | 'settings' | 'logger'>,
  signal: AbortSignal,
): LocalJobs {
  const waiting: Job[] = []
  const standing = new Set<string>()
  const events = new EventEmitter()
  let atWork = 0

  function begin(): void {
    while (atWork < settings.concurrency && !signal.aborted) {
      const job = waiting.shift()
      if (job === undefined) return
      atWork++
      void carryOut(job)
    }
  }

  async function carryOut({ key, work }: Job): Promise<void> {
    try {
      await work()
    } catch (error) {
      // Others hold answers that must not end with this process.
      logger.error({ job: key, err: error }, 'a job failed; the others go on')
    }
    atWork--
    standing.delete(key)
    begin()
    events.emit('ended')
  }

  function add(jobs: readonly Job[], where: 'first' | 'last' = 'last'): void {
    const fresh = jobs.filter(({ key }) => !standing.has(key))
    for (const { key } of fresh) standing.add(key)
    if (where === 'first') waiting.unshift(...fresh)
    else waiting.push(...fresh)
    begin()
  }

  const isFull = () => waiting.length >= MOST_WAITING && !signal.aborted
  const refresh = (id: string, options: RefreshOptions): Job => {
    return { key: `account-${id}`, work: () => engine.refreshAccount(id, options) }
  }

  return {
    async add(accounts, type) {
      const soonestDeathFirst = accounts.toSorted((a, b) => (a.diesAt ?? Infinity) - (b.diesAt ?? Infinity))
      add(
        soonestDeathFirst.map(({ id, lastAttempt }) => {
          return refresh(id, { type, force: true, seen: attemptKey(lastAttempt) })
        }),
      )
    },
    depth: async () => waiting.length + atWork,
    async hasRoom() {
      while (isFull()) await once(events, 'ended')
      return !signal.aborted
    },
    async refresh(accounts) {
      add(accounts.map(({ id }) => refresh(id, { type: 'scheduled' })))
    },
    async fetchPages(accounts) {
      add(accounts.map(({ id }) => ({ key: `pages-${id}`, work: () => engine.fetchPages(id) })))
    },
    recover(accounts) {
      add(
        accounts.map(({ id }) => refresh(id, { type: 'scheduled' })),
        'first',
      )
    },
    async idle() {
      while (atWork > 0) await once(events, 'ended')
    },
  }
}
