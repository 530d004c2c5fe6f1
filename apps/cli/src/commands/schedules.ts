import type { Config } from '@tokenkeeper/config'
import { type AuditAction, CodedError, hasCode, makeId, PLATFORMS, type Platform, systemClock } from '@tokenkeeper/core'
import { changeSchedule, listSchedules, removeSchedule, runSchedule, type ScheduleChange } from '@tokenkeeper/queue'
import { openStore, type Store } from '@tokenkeeper/store'
import { openExistingStore } from '../open-existing-store.ts'
import type { Output } from '../output.ts'
import { scheduleForPrograms, scheduleTable, viewSchedule } from '../schedule-view.ts'
import { loadSettings } from '../settings.ts'
import { isoTime, relativeTime } from '../times.ts'

const ACTOR = 'cli'
/** A scheduler looks every 15 s. */
const SOON = 'A scheduler that runs takes it over within 20 s.'

/** Shows all schedules, when they come next and how they went. */
export async function showSchedules({ sandbox }: { readonly sandbox?: boolean }, output: Output): Promise<number> {
  const config = loadSettings(sandbox)
  await using store = await openExistingStore(config)
  const now = systemClock.now()
  const none = { schedules: { list: async () => [] }, runs: { latest: async () => null } }
  const looked = (store ?? none) as Store
  const schedules = await listSchedules({ store: looked, clock: systemClock, schedules: config.schedules })
  const views = await Promise.all(schedules.map((schedule) => viewSchedule(looked, schedule, now)))
  output.result(views.map(scheduleForPrograms))
  if (!output.json) output.say(scheduleTable(views, now))
  return 0
}

interface SetOptions {
  readonly id: string
  readonly cron?: string
  readonly tz?: string
  readonly platform?: readonly (Platform | 'all')[]
  readonly limit?: number | 'none'
}

/** Changes a schedule, or makes one. */
export async function setSchedule({ id, cron, tz, platform, limit }: SetOptions, output: Output): Promise<number> {
  const change: ScheduleChange = {
    ...(cron !== undefined && { pattern: cron }),
    ...(tz !== undefined && { tz }),
    ...(platform !== undefined && {
      platforms: PLATFORMS.filter((each) => platform.includes(each) && !platform.includes('all')),
    }),
    ...(limit !== undefined && { runLimit: limit === 'none' ? null : limit }),
  }
  if (Object.keys(change).length === 0) {
    throw new CodedError('INPUT_MISSING', { publicMessage: 'Say what to change: --cron, --tz, --platform or --limit.' })
  }
  return applyChange(id, change, output)
}

export function turnScheduleOn({ id }: { readonly id: string }, output: Output): Promise<number> {
  return applyChange(id, { isOn: true }, output)
}

export function turnScheduleOff({ id }: { readonly id: string }, output: Output): Promise<number> {
  return applyChange(id, { isOn: false }, output)
}

async function applyChange(id: string, change: ScheduleChange, output: Output): Promise<number> {
  const config = loadSettings()
  await using store = await openStore(config.store.url.reveal())
  const schedule = await withHint(changeSchedule(depsOf(store, config), id, change))
  await recordAct(store, 'schedule.changed', `${id}: ${JSON.stringify(change)}`)
  const now = systemClock.now()
  const view = await viewSchedule(store, schedule, now)
  output.result(scheduleForPrograms(view))
  const times = `${schedule.pattern} (${schedule.tz}), next ${relativeTime(view.nextAt, now)}, ${isoTime(view.nextAt)}`
  output.say(`${id}: ${view.state === 'on' ? times : view.state}. ${SOON}`)
  if (view.warning !== null) output.say(view.warning)
  return 0
}

/** Removes a schedule of one's own. */
export async function dropSchedule({ id }: { readonly id: string }, output: Output): Promise<number> {
  const config = loadSettings()
  await using store = await openStore(config.store.url.reveal())
  await withHint(removeSchedule({ store }, id))
  await recordAct(store, 'schedule.removed', id)
  output.result({ removed: id })
  output.say(`Removed the schedule ${id}. ${SOON}`)
  return 0
}

/** Starts a run of a schedule by hand. */
export async function startSchedule({ id }: { readonly id: string }, output: Output): Promise<number> {
  const config = loadSettings()
  await using store = await openStore(config.store.url.reveal())
  let made = ''
  const makeRunId = () => {
    made = makeId()
    return made
  }
  const run = await withHint(runSchedule({ ...depsOf(store, config), makeId: makeRunId }, id, ACTOR))
  const isNew = run.id === made
  if (isNew) await recordAct(store, 'run.requested', run.id)
  output.result({ runId: run.id, isNew })
  output.say(isNew ? `Run ${run.id} of ${id} is to begin. ${SOON}` : `Run ${run.id} of ${id} goes on already.`)
  return 0
}

function depsOf(store: Store, { schedules }: Config) {
  return { store, clock: systemClock, makeId, schedules }
}

async function withHint<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    if (!hasCode(error, 'SCHEDULE_NOT_FOUND')) throw error
    throw new CodedError('SCHEDULE_NOT_FOUND', {
      publicMessage:
        'There is no such schedule: `pnpm tokenkeeper schedules` shows those that there are, `schedules set NAME --cron …` makes one.',
    })
  })
}

async function recordAct({ audit }: Store, action: AuditAction, detail: string): Promise<void> {
  await audit.insert([{ id: makeId(), accountId: '', action, actor: ACTOR, detail, at: systemClock.now() }])
}
