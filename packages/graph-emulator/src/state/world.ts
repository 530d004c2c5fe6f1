import { DAY, MINUTE } from '@tokenkeeper/core'
import type { App, Code, Grant, Page, Settings, Token, User } from './model.ts'

/** "About one or two hours". */
export const SHORT_LIVED = 90 * MINUTE
export const LONG_LIVED = 60 * DAY
/** Data access: from the last use by the user. */
export const DATA_ACCESS = 90 * DAY

/** All that the emulator knows. Plain data; the functions beside it work on it, and only they change it. */
export interface World {
  /** ms */
  now(): number
  readonly apps: Map<string, App>
  readonly users: Map<string, User>
  readonly pages: Map<string, Page>
  /** App id → user id → consent. */
  readonly grants: Map<string, Map<string, Grant>>
  readonly tokens: Map<string, Token>
  /** `parent token, page id` → the Page token that a listing with the parent gives. */
  readonly pageTokens: Map<string, Token>
  readonly codes: Map<string, Code>
  /** Logins of browsers: cookie → user, until the password changes. */
  readonly sessions: Map<string, { readonly userId: string; readonly passwordGeneration: number }>
  /** What is counted (`app 12`, `user 34`, `page 56`) → minute since the epoch → calls. */
  readonly calls: Map<string, Map<number, number>>
  readonly settings: Settings
  nextGrantId: number
}

export function createWorld(now: () => number): World {
  return {
    now,
    apps: new Map(),
    users: new Map(),
    pages: new Map(),
    grants: new Map(),
    tokens: new Map(),
    pageTokens: new Map(),
    codes: new Map(),
    sessions: new Map(),
    calls: new Map(),
    settings: {
      refreshMode: 'extends',
      instagramCodeAnswer: 'data',
      refreshedToken: 'new',
      dataAccessLapses: true,
    },
    nextGrantId: 1,
  }
}
