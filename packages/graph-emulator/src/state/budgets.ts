import { MINUTE } from '@tokenkeeper/core'
import { GraphError } from '../errors/graph-error.ts'
import { usersOf } from './grants.ts'
import type { App, Token } from './model.ts'
import type { World } from './world.ts'

/** Meta: 200 calls an hour for each user of the app, in one pool. */
const CALLS_PER_USER = 200
const WINDOW_MINUTES = 60

/**
 * Counts a call against the budgets that it falls under. Refused calls count too: who goes on calling stays refused.
 * @returns the usage headers, and the refusal if a budget is spent
 */
export function charge(world: World, app: App, token: Token | undefined) {
  const pageId = token?.pageId
  const userId = token?.kind === 'user' ? token.userId : undefined
  const ofApp = count(world, `app ${app.id}`)
  const ofPage = pageId === undefined ? 0 : count(world, `page ${app.id} ${pageId}`)
  const ofUser = userId === undefined ? 0 : count(world, `user ${app.id} ${userId}`)

  const { user, page, custom } = app.budget
  const limit =
    app.budget.app ?? (app.family === 'facebook' ? CALLS_PER_USER * Math.max(1, usersOf(world, app.id)) : undefined)
  const headers: Record<string, string> = {}
  const share = percent(ofApp, limit)
  // Absent until there was enough traffic, so that absence does not mean none.
  if (share >= 1) headers['x-app-usage'] = JSON.stringify(usage(share))
  if (pageId !== undefined && page !== undefined) {
    headers['x-business-use-case-usage'] = JSON.stringify({
      [pageId]: [
        {
          type: 'pages',
          ...usage(percent(ofPage, page)),
          estimated_time_to_regain_access: minutesToRegain(world, `page ${app.id} ${pageId}`, page),
        },
      ],
    })
  }
  const refusal = isSpent(ofApp, limit)
    ? new GraphError('app_limit')
    : isSpent(ofApp, custom)
      ? new GraphError('custom_limit')
      : isSpent(ofPage, page)
        ? new GraphError('page_limit')
        : isSpent(ofUser, user)
          ? new GraphError('user_limit')
          : undefined
  return { headers, refusal }
}

/** Counts one more; returns how many there were in the last hour, this one included. */
function count(world: World, key: string): number {
  const minute = Math.floor(world.now() / MINUTE)
  const minutes = world.calls.get(key) ?? new Map<number, number>()
  world.calls.set(key, minutes.set(minute, (minutes.get(minute) ?? 0) + 1))
  let total = 0
  for (const [at, calls] of minutes) {
    if (at <= minute - WINDOW_MINUTES) minutes.delete(at)
    else total += calls
  }
  return total
}

function isSpent(calls: number, limit: number | undefined): boolean {
  return limit !== undefined && calls > limit
}

function percent(calls: number, limit: number | undefined): number {
  if (limit === undefined) return 0
  return Math.min(100, Math.floor((calls * 100) / Math.max(1, limit)))
}

function usage(share: number) {
  return { call_count: share, total_cputime: Math.floor(share / 2), total_time: Math.floor(share / 2) }
}

/** Minutes until enough of the counted calls are an hour old; 0 while some are left. */
function minutesToRegain(world: World, key: string, limit: number): number {
  const minutes = [...(world.calls.get(key) ?? [])].sort(([a], [b]) => a - b)
  let left = minutes.reduce((sum, [, calls]) => sum + calls, 0)
  if (left <= limit) return 0
  const now = Math.floor(world.now() / MINUTE)
  for (const [at, calls] of minutes) {
    left -= calls
    if (left < limit) return at + WINDOW_MINUTES - now
  }
  return WINDOW_MINUTES
}
