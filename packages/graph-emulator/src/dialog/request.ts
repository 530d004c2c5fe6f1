import { GraphError } from '../errors/graph-error.ts'
import type { Call } from '../http/host.ts'
import type { App, Family } from '../state/model.ts'
import { BASIC, PERMISSIONS } from '../state/permissions.ts'

export interface DialogRequest {
  readonly app: App
  readonly redirectUri: string
  readonly state: string | undefined
  /** What is asked for, the basic permission first. */
  readonly scopes: readonly string[]
}

/** The dialog cannot be shown: nothing is sent to the redirect_uri. */
export class DialogError extends Error {
  override name = 'DialogError'
}

/** @throws DialogError, or at Threads, which shows those as JSON, GraphError */
export function readDialogRequest({ world, family, params }: Call): DialogRequest {
  const { client_id: id = '', redirect_uri: redirectUri = '', response_type: type = 'code' } = params
  const app = world.apps.get(id)
  if (app === undefined || app.family !== family) {
    throw refusal(family, 'threads_app', 'Invalid App ID: The provided app ID does not look like a valid app ID.')
  }
  if (app.standing !== 'live') {
    throw refusal(family, 'threads_app', 'App not active: This app is not accessible right now.')
  }
  if (!app.redirectUris.includes(redirectUri)) {
    throw refusal(
      family,
      'threads_redirect',
      'URL Blocked: This redirect failed because the redirect URI is not whitelisted in the app’s client OAuth settings.',
    )
  }
  if (type !== 'code') throw new DialogError(`Unsupported response_type: ${type}. The emulator knows only code.`)
  const asked = (params.scope ?? '').split(/[\s,]+/).filter((scope) => scope !== '')
  const unknown = asked.filter((scope) => !PERMISSIONS[family].includes(scope))
  if (unknown.length > 0) throw new DialogError(`Invalid Scopes: ${unknown.join(', ')}.`)
  return { app, redirectUri, state: params.state, scopes: [...new Set([BASIC[family], ...asked])] }
}

/** Back to the app, its state with it. Meta ends the address with a fragment of its own, at Instagram right behind the code. */
export function redirectBack({ app, redirectUri, state }: DialogRequest, answer: Record<string, string>): string {
  const query = new URLSearchParams({ ...answer, ...(state === undefined ? {} : { state }) })
  const joint = redirectUri.includes('?') ? '&' : '?'
  return `${redirectUri}${joint}${query}${app.family === 'facebook' ? '#_=_' : '#_'}`
}

function refusal(family: Family, name: 'threads_app' | 'threads_redirect', message: string): Error {
  return family === 'threads' ? new GraphError(name) : new DialogError(message)
}
