import { type Platform, systemClock } from '@tokenkeeper/core'
import type { z } from 'zod'
import type { testRefreshJson } from '../json/refresh.ts'
import { openExistingStore } from '../open-existing-store.ts'
import type { Output } from '../output.ts'
import { configuredPlatforms } from '../platforms.ts'
import { EXIT } from '../program/run.ts'
import type { Checked } from '../rehearsal/check.ts'
import { nextDue } from '../rehearsal/copy.ts'
import { type Rehearsal, rehearse } from '../rehearsal/rehearse.ts'
import { loadSettings } from '../settings.ts'
import { stopSignal } from '../stop-signal.ts'
import { renderTable } from '../table.ts'
import { isoTime, relativeTime } from '../times.ts'

interface Options {
  readonly limit: number
  readonly platform?: Platform
}

/**
 * Rehearses the refresh of the accounts that fall due next. Of the real database the accounts are read, no credential is
 * opened, and at the end the log gets one entry of the type `test` for each.
 */
export async function testRefresh({ limit, platform }: Options, output: Output): Promise<number> {
  const signal = stopSignal()
  const begun = systemClock.monotonic()
  const config = loadSettings()
  await using store = await openExistingStore(config)
  const platforms = configuredPlatforms(config).filter((one) => (platform ?? one) === one)
  const accounts = store ? await nextDue(store, platforms, limit) : []
  const rehearsal = accounts.length > 0 ? await rehearse(accounts, output, signal) : { checked: [], spooled: 0 }
  if (rehearsal === null) {
    output.say('Stopped: nothing was written.')
    return EXIT.interrupted
  }
  await store?.log.put(rehearsal.checked.flatMap(({ entry }) => entry ?? []))
  const result = resultOf(rehearsal, systemClock.monotonic() - begun)
  output.say(accounts.length > 0 ? render(rehearsal, result, output) : 'There is no active account to rehearse with.')
  output.result(result)
  return result.failed === 0 && rehearsal.spooled === 0 ? EXIT.ok : EXIT.failed
}

type Result = z.output<typeof testRefreshJson>

function resultOf({ checked, spooled }: Rehearsal, durationMs: number): Result {
  const passed = checked.filter(isWell).length
  const accounts = checked.map(({ account, problems }) => ({
    accountId: account.id,
    platform: account.platform,
    name: account.displayName,
    passed: problems.length === 0,
    problems: [...problems],
    generation: account.generation,
    nextRefreshAt: isoTime(account.nextRefreshAt)!,
    diesAt: isoTime(account.diesAt),
  }))
  const total = checked.length
  return { total, passed, failed: total - passed, spooled, accounts, durationMs: Math.round(durationMs) }
}

function isWell({ problems }: Checked): boolean {
  return problems.length === 0
}

function render({ checked, spooled }: Rehearsal, { total, passed, durationMs }: Result, { paint }: Output): string {
  const now = systemClock.now()
  const rows = checked.map(({ account, problems }) => [
    account.id,
    account.platform,
    account.displayName,
    relativeTime(account.nextRefreshAt, now),
    problems.length === 0 ? paint('green', 'ok') : paint('red', problems.join('; ')),
  ])
  const left = spooled === 0 ? 'nothing is left in the spool' : paint('red', `${spooled} answers are left in the spool`)
  return `${renderTable(['account', 'platform', 'name', 'next refresh', 'result'], rows)}

${passed} of ${total} as they should be, with made-up tokens at simulated hosts; ${left}.
The accounts themselves were not touched; the log has the entries, of the type test. Took ${(durationMs / 1_000).toFixed(1)} s.`
}
