import type { Account } from '@tokenkeeper/core'
import { makeId, systemClock } from '@tokenkeeper/core'
import { createJournal, createSpool } from '@tokenkeeper/engine'
import { createLoggers } from '@tokenkeeper/telemetry'
import { sealerOf } from './keys-world.ts'

type Result = Parameters<ReturnType<typeof createSpool>['put']>[0]

/** The successor that made this generation of the account, as a commit would have written it. */
export function successor({ id, connectId }: Account, generation: number, keys: string): Result {
  const credential = JSON.stringify({ accessToken: `access-${generation}`, refreshToken: `refresh-${generation}` })
  return {
    version: 1,
    accountId: id,
    connectId,
    generation: generation - 1,
    attempt: { id: makeId(), refreshType: 'scheduled', beganAt: 1, presentedDigest: 'x', workerId: 'w' },
    ...sealerOf(keys).seal(credential, id, 'credential'),
    accessExpiresAt: 1,
    diesAt: 2,
    oldExpiresAt: 0,
    nextRefreshAt: generation,
    answeredAt: 1,
    note: null,
  }
}

/** A journal file that a process has left. */
export async function writeJournal(dir: string, results: readonly Result[]): Promise<void> {
  const logger = createLoggers({ level: 'silent', format: 'json' })('journal')
  await using journal = createJournal({ dir, keepMs: 1, clock: systemClock, logger })
  for (const result of results) journal.append({ kind: 'refreshed', result })
}

/** A spool that a dead process has left. */
export async function writeSpool(dir: string, results: readonly Result[]): Promise<void> {
  using spool = createSpool({ dir, clock: systemClock })
  for (const result of results) await spool.put(result)
}
