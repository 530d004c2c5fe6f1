import { systemClock } from '@tokenkeeper/core'
import { type GraphEmulator, type GraphEmulatorOptions, startGraphEmulator } from '../src/index.ts'
import type { Family } from '../src/state/model.ts'

/** When the tests' worlds begin; their clocks stand still but for advanceClock. */
export const START = Date.parse('2026-11-22T12:00:00Z')
export const REDIRECT = 'https://client.example/callback'
const EVERYTHING = ['email', 'pages_show_list', 'pages_read_engagement', 'pages_manage_posts']

export interface Answer {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: the tests read what Meta's clients read
  readonly body: any
}

/** An emulator with an app and a user of one host family, who has not let the app in yet. */
export async function createTestWorld(family: Family = 'facebook', options: GraphEmulatorOptions = {}) {
  const emulator = await startGraphEmulator({ clock: { ...systemClock, now: () => START }, ...options })
  const { control } = emulator
  const app = control.createApp({ family, redirectUris: [REDIRECT] })
  const user = control.createUser({ family })
  const url = emulator.urls[family]
  const both = { appId: app.id, userId: user.id }
  const client = { client_id: app.id, client_secret: app.secret }
  const appToken = `${app.id}|${app.secret}`

  const get = (path: string, query: Record<string, string> = {}) => ask(`${url}${path}?${new URLSearchParams(query)}`)
  const post = (path: string, form: Record<string, string> = {}) =>
    ask(`${url}${path}`, { method: 'POST', body: new URLSearchParams(form) })

  return {
    emulator,
    control,
    app,
    user,
    url,
    both,
    client,
    appToken,
    get,
    post,
    /** A token of the user, who lets the app in for that. */
    connect(longLived = true, permissions = family === 'facebook' ? EVERYTHING : undefined) {
      control.grant({ ...both, ...(permissions && { permissions }) })
      return control.issueToken({ ...both, longLived }).accessToken
    },
    /** A Page on which the user has a role. */
    addPage(page: Parameters<GraphEmulator['control']['createPage']>[0] = {}, tasks?: string[]) {
      const { id } = control.createPage(page)
      control.setRole({ userId: user.id, pageId: id, ...(tasks && { tasks }) })
      return id
    },
    debug: async (token: string) =>
      (await get('/v26.0/debug_token', { input_token: token, access_token: appToken })).body.data,
    accounts: (token: string, query: Record<string, string> = {}) =>
      get('/v26.0/me/accounts', { access_token: token, ...query }),
    exchange: (token: string, more: Record<string, string> = {}) =>
      post('/v26.0/oauth/access_token', {
        ...client,
        grant_type: 'fb_exchange_token',
        fb_exchange_token: token,
        ...more,
      }),
    [Symbol.asyncDispose]: () => emulator[Symbol.asyncDispose](),
  }
}

export type TestWorld = Awaited<ReturnType<typeof createTestWorld>>

export async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, { redirect: 'manual', ...init })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text.startsWith('{') ? JSON.parse(text) : text }
}

/** The error of an answer without its trace id. */
export function errorOf({ body }: Answer) {
  const { fbtrace_id, ...error } = body.error
  if (typeof fbtrace_id !== 'string') throw new Error('The error has no fbtrace_id')
  return error
}
