import { type Account, DAY, PLATFORMS, type Platform, systemClock } from '@tokenkeeper/core'
import type { Store } from '@tokenkeeper/store'
import { openExistingStore } from '../open-existing-store.ts'
import type { Output } from '../output.ts'
import { type Ending, type EndingsQuery, endings } from '../reports/endings.ts'
import { loadSettings } from '../settings.ts'
import { renderTable } from '../table.ts'
import { isoTime, relativeTime } from '../times.ts'

interface Options {
  readonly days: number
  readonly expired?: boolean
  readonly platform?: Platform
  readonly limit: number
  readonly sandbox?: boolean
}

export async function expiring(options: Options, output: Output): Promise<number> {
  const { days, expired, platform, limit, sandbox } = options
  await using store = await openExistingStore(loadSettings(sandbox))
  const now = systemClock.now()
  const range = expired ? { from: 0, before: now } : { from: now, before: now + days * DAY }
  const query = { platforms: platform ? [platform] : PLATFORMS, ...range }
  const found = store ? await soonest(store, query, limit + 1) : []
  const shown = found.slice(0, limit)
  const more = found.length > limit
  if (output.json) output.result({ expiring: shown.map((ending) => forPrograms(ending, now)), more })
  else if (shown.length === 0) output.say(expired ? 'Nothing has expired.' : `Nothing expires within ${days} days.`)
  else {
    output.say(table(shown, now))
    if (more) output.say(`There are more than ${limit}: --limit shows them.`)
  }
  return 0
}

async function soonest(store: Store, query: EndingsQuery, limit: number): Promise<Ending[]> {
  const found: Ending[] = []
  for await (const ending of endings(store, query)) {
    found.push(ending)
    if (found.length === limit) break
  }
  return found
}

function forPrograms({ account, page, at, by }: Ending, now: number) {
  const { id, name, status, statusReason } = page ?? { ...account, name: account.displayName }
  return {
    kind: page ? 'page' : 'account',
    id,
    accountId: account.id,
    platform: account.platform,
    name,
    status,
    statusReason,
    endOf: by,
    endsAt: isoTime(at),
    daysLeft: daysLeft(at, now),
    nextRefreshAt: isoTime(nextRefreshOf(account)),
  }
}

function table(found: readonly Ending[], now: number): string {
  const rows = found.map(({ account, page, at, by }) => [
    daysLeft(at, now),
    page ? 'Page' : 'account',
    account.platform,
    page ? `${page.name} (of ${account.displayName})` : account.displayName,
    (page ?? account).id,
    (page ?? account).status,
    `${by === 'token' ? 'token' : 'data access'}, ${isoTime(at)!.slice(0, 16)}Z`,
    relativeTime(nextRefreshOf(account), now),
  ])
  return renderTable(['days left', 'what', 'platform', 'name', 'id', 'status', 'ends', 'next refresh'], rows)
}

/** With one decimal; negative where it is over. */
function daysLeft(at: number, now: number): number {
  return Math.trunc(((at - now) / DAY) * 10) / 10
}

/** None where only a person brings it back. */
function nextRefreshOf({ status, nextRefreshAt }: Account): number | null {
  return status === 'paused' || status === 'needs_reconnect' || status === 'removing' ? null : nextRefreshAt
}
