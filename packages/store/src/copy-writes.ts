import { type Account, type ApiKey, type Halt, hasCode, type OutboxItem, type Page } from '@tokenkeeper/core'
import type { Run, Schedule, Store } from './store.ts'

/** One compare-and-set on what was read there, so that whoever works on the target meanwhile loses nothing. */
export async function writeAccount({ accounts }: Store, account: Account, there: Account | null): Promise<void> {
  if (there === null) {
    // Another account may have this login.
    return accounts.insert(account).catch((error) => {
      if (!hasCode(error, 'ACCOUNT_EXISTS')) throw error
    })
  }
  const isSameCredential = account.sealedCredential === there.sealedCredential && account.connectId === there.connectId
  if (account.generation === there.generation && !isSameCredential) return
  const { id, ownerId: _o, platform: _p, providerAppId: _a, externalId: _e, status, outbox, ...set } = account
  const done = await accounts.write({
    name: 'copy',
    accountId: id,
    when: {
      generation: there.generation,
      sealedCredential: there.sealedCredential,
      connectId: there.connectId,
      attemptId: there.attempt?.id ?? null,
    },
    change: { set, status: { [there.status]: status }, tell: notIn(outbox, there.outbox) },
  })
  const relayed = notIn(there.outbox, outbox).map((item) => item.id)
  if (done && relayed.length > 0) await accounts.pull(id, relayed)
}

function notIn(items: readonly OutboxItem[], others: readonly OutboxItem[]): OutboxItem[] {
  const ids = new Set(others.map((other) => other.id))
  return items.filter((item) => !ids.has(item.id))
}

/** A run only goes forward. */
export async function writeRun({ runs }: Store, run: Run, there: Run | null): Promise<void> {
  if (there === null) await runs.insert(run)
  else if (there.finishedAt === null && (there.cursor ?? '') <= (run.cursor ?? '')) {
    await runs.advance(run.id, there.cursor, run)
    if (run.window !== null) await runs.beginWindow(run.id, run.cursor, run.window)
  }
}

/** Many at once, since an account may have hundreds. */
export async function writePages({ pages }: Store, wanted: readonly Page[], there: ReadonlyMap<string, Page>) {
  await pages.put(wanted.filter(({ id }) => !there.has(id)))
  await pages.update(
    wanted.flatMap((to) => {
      const from = there.get(to.id)
      return from ? [{ from, to }] : []
    }),
  )
}

/** Of what two stores hold of one Page. */
export function isListedLater(there: Page, page: Page): boolean {
  const generations = there.parentGeneration - page.parentGeneration
  return generations > 0 || (generations === 0 && (there.refreshedAt ?? 0) > (page.refreshedAt ?? 0))
}

export async function writeHalt({ halts }: Store, halt: Halt, there: Halt | null): Promise<void> {
  await (there === null ? halts.insert(halt) : halts.update(there, halt))
}

/** What was taken there, but not here, is not taken again. */
export async function writeSchedule({ schedules }: Store, schedule: Schedule, there: Schedule | null): Promise<void> {
  if (there === null) await schedules.insert(schedule)
  else if ((there.lastOccurrence ?? 0) <= (schedule.lastOccurrence ?? 0)) await schedules.update(there, schedule)
}

export async function writeApiKey({ apiKeys }: Store, key: ApiKey, there: ApiKey | null): Promise<void> {
  if (there === null) await apiKeys.insert(key)
  else if (key.revokedAt !== null) await apiKeys.revoke(key.id, key.revokedAt)
}
