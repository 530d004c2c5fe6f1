import { z } from 'zod'
import { GraphError } from '../errors/graph-error.ts'
import { mintCode } from '../state/codes.ts'
import type { Token } from '../state/model.ts'
import { findToken, tokenFault } from '../state/token-fault.ts'
import { mintUserToken } from '../state/tokens.ts'
import type { World } from '../state/world.ts'
import { ControlError, control, id } from './control.ts'
import { grantFor, pair } from './users.ts'

export const TOKEN_CONTROLS = {
  issueToken: control(
    'Gives a token of the user without a dialog; the user must have let the app in. expiresIn: seconds, null = never (system users).',
    z.strictObject({
      appId: id,
      userId: id,
      longLived: z.boolean().default(true),
      expiresIn: z.int().nullable().optional(),
    }),
    ({ world }, { appId, userId, longLived, expiresIn }) => {
      const grant = grantFor(world, appId, userId)
      const { app, user } = pair(world, appId, userId)
      if (expiresIn === null && !user.systemUser) throw new ControlError('Only tokens of system users never expire.')
      const expiresAt = typeof expiresIn === 'number' ? world.now() + expiresIn * 1_000 : expiresIn
      const token = mintUserToken(world, app, user, grant, { longLived, expiresAt })
      return { accessToken: token.value, expiresAt: token.expiresAt ?? null }
    },
  ),
  issueCode: control(
    'Gives a code, as the dialog does at its end; the user must have let the app in.',
    z.strictObject({ appId: id, userId: id, redirectUri: z.string() }),
    ({ world }, { appId, userId, redirectUri }) => {
      const grant = grantFor(world, appId, userId)
      const { app, user } = pair(world, appId, userId)
      if (!app.redirectUris.includes(redirectUri)) throw new ControlError('The app does not have this redirectUri.')
      return { code: mintCode(world, app, user, grant, redirectUri) }
    },
  ),
  inspectToken: control(
    'Tells all about a token, and whether it works now; nothing is counted or logged. Times are in ms.',
    z.strictObject({ token: z.string() }),
    ({ world }, { token }) => inspect(world, token),
  ),
} as const

export interface Inspection {
  readonly valid: boolean
  /** Why not. */
  readonly error: { readonly code: number; readonly subcode: number | null; readonly message: string } | null
  readonly kind: Token['kind'] | null
  readonly appId: string | null
  readonly userId: string | null
  readonly pageId: string | null
  readonly issuedAt: number | null
  /** null = never */
  readonly expiresAt: number | null
  readonly longLived: boolean
}

function inspect(world: World, value: string): Inspection {
  const app = world.apps.get(value.split('|')[0]!)
  const family = app?.family ?? world.apps.get(world.tokens.get(value)?.appId ?? '')?.family ?? 'facebook'
  try {
    const token = findToken(world, value, family)
    const { kind, appId, userId = null, pageId = null, issuedAt, expiresAt = null, longLived } = token
    const fault = tokenFault(world, token)
    const error = fault === undefined ? null : describe(fault)
    return { valid: error === null, error, kind, appId, userId, pageId, issuedAt, expiresAt, longLived }
  } catch (error) {
    if (!(error instanceof GraphError)) throw error
    const unknown = { kind: null, appId: null, userId: null, pageId: null, issuedAt: null, expiresAt: null }
    return { valid: false, error: describe(error), ...unknown, longLived: false }
  }
}

function describe({ row, message }: GraphError) {
  return { code: row.code, subcode: row.subcode ?? null, message }
}
