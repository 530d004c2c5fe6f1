import type { Config } from '@tokenkeeper/config'
import { type Account, hasCode, type Platform, systemClock } from '@tokenkeeper/core'
import { openStore, type Store } from '@tokenkeeper/store'
import type { Output } from '../output.ts'
import { configuredPlatforms } from '../platforms.ts'
import { EXIT } from '../program/run.ts'
import { renderTable } from '../table.ts'
import { isoTime, relativeTime } from '../times.ts'
import type { RefreshOptions } from './options.ts'
import { planned } from './plan.ts'
import { type WhyFacts, whyDue } from './why-due.ts'

interface Plan {
  readonly total: number
  readonly platforms: Partial<Record<Platform, number>>
  /** The first of them, by when they fall due. */
  readonly shown: readonly Account[]
}

/** Shows what would be refreshed. The store is opened to read alone; neither keys, Redis nor a provider are touched. */
export async function showDryRun(config: Config, options: RefreshOptions, output: Output): Promise<number> {
  const now = systemClock.now()
  await using store = await openToLook(config)
  const plan = store ? await makePlan(store, config, options, now) : { total: 0, platforms: {}, shown: [] }
  const halts = new Map((await store?.halts.list())?.map((halt) => [halt.id, halt]))
  const facts = { halts, due: config.due, now }
  output.say(`Nothing is sent and nothing written: this only shows what would be refreshed.\n`)
  if (plan.total === 0) output.say('Nothing would be refreshed.')
  else output.say(planTable(plan.shown, facts))
  if (plan.total > plan.shown.length) output.say(`… and ${plan.total - plan.shown.length} more: --limit shows them.`)
  if (plan.total > 0) output.say(`\n${plan.total} in all: ${countsInWords(plan)}`)
  output.result({
    dryRun: true,
    total: plan.total,
    platforms: plan.platforms,
    accounts: plan.shown.map((account) => accountForPrograms(account, facts)),
  })
  return EXIT.ok
}

async function openToLook(config: Config): Promise<Store | null> {
  try {
    return await openStore(config.store.url.reveal(), { readOnly: true })
  } catch (error) {
    if (hasCode(error, 'STORE_NOT_FOUND')) return null
    throw error
  }
}

const SHOWN = 100

/** Counts all, and keeps no more than are shown. */
async function makePlan(store: Store, config: Config, options: RefreshOptions, now: number): Promise<Plan> {
  const platforms: Partial<Record<Platform, number>> = {}
  let shown: readonly Account[] = []
  let total = 0
  for await (const page of planned({ store, platforms: configuredPlatforms(config), now }, options)) {
    total += page.length
    for (const { platform } of page) platforms[platform] = (platforms[platform] ?? 0) + 1
    shown = [...shown, ...page].toSorted((a, b) => a.nextRefreshAt - b.nextRefreshAt).slice(0, options.limit ?? SHOWN)
  }
  return { total, platforms, shown }
}

function planTable(accounts: readonly Account[], facts: WhyFacts): string {
  const rows = accounts.map((account) => [
    account.id,
    account.platform,
    account.displayName,
    `${isoTime(account.nextRefreshAt)!.slice(0, 16).replace('T', ' ')} (${relativeTime(account.nextRefreshAt, facts.now)})`,
    relativeTime(account.diesAt, facts.now),
    whyDue(account, facts).text,
  ])
  return renderTable(['account', 'platform', 'name', 'due (UTC)', 'dies', 'why'], rows)
}

function accountForPrograms(account: Account, facts: WhyFacts) {
  const { id, platform, displayName, status, nextRefreshAt, diesAt } = account
  const { code, text } = whyDue(account, facts)
  const times = { dueAt: isoTime(nextRefreshAt), diesAt: isoTime(diesAt) }
  return { accountId: id, platform, name: displayName, status, ...times, why: code, reason: text }
}

function countsInWords({ platforms }: Plan): string {
  return Object.entries(platforms)
    .map(([platform, count]) => `${count} ${platform}`)
    .join(', ')
}
