import { z } from 'zod'
import type { Callbacks } from '../callbacks/callbacks.ts'
import type { Injections } from '../http/injections.ts'
import type { RequestLog } from '../http/request-log.ts'
import type { App, Page, User } from '../state/model.ts'
import type { World } from '../state/world.ts'

export interface ControlDeps {
  readonly world: World
  readonly log: RequestLog
  readonly injections: Injections
  readonly callbacks: Callbacks
  /** ms; not backwards. */
  advance(ms: number): void
}

/** One function of the control API: called in the process, or as `POST /name` with its input as JSON. */
export interface ControlFunction<Schema extends z.ZodType, Result> {
  readonly about: string
  readonly input: Schema
  readonly run: (deps: ControlDeps, input: z.output<Schema>) => Result
}

export function control<Schema extends z.ZodType, Result>(
  about: string,
  input: Schema,
  run: (deps: ControlDeps, input: z.output<Schema>) => Result,
): ControlFunction<Schema, Result> {
  return { about, input, run }
}

/** It was called wrongly: an id that does not exist, a name that is taken. */
export class ControlError extends Error {
  override name = 'ControlError'
}

export const id = z.string().regex(/^\d+$/, 'must be digits')
export const nothing = z.strictObject({})

export function appOf(world: World, appId: string): App {
  return world.apps.get(appId) ?? missing('app', appId)
}

export function userOf(world: World, userId: string): User {
  return world.users.get(userId) ?? missing('user', userId)
}

export function pageOf(world: World, pageId: string): Page {
  return world.pages.get(pageId) ?? missing('Page', pageId)
}

function missing(what: string, which: string): never {
  throw new ControlError(`There is no ${what} ${which}.`)
}
