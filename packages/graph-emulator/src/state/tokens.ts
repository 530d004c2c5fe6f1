import { appTokenValue, tokenValue } from './ids.ts'
import type { App, Grant, Page, Token, User } from './model.ts'
import { LONG_LIVED, SHORT_LIVED, type World } from './world.ts'

interface UserTokenOptions {
  readonly longLived: boolean
  /** ms; default: the lifetime of its kind from now; null = never. */
  readonly expiresAt?: number | null | undefined
}

export function mintUserToken(world: World, app: App, user: User, grant: Grant, options: UserTokenOptions): Token {
  const now = world.now()
  const end = options.expiresAt ?? now + (options.longLived ? LONG_LIVED : SHORT_LIVED)
  return keep(world, {
    value: tokenValue(app.family),
    kind: 'user',
    appId: app.id,
    userId: user.id,
    pageId: undefined,
    issuedAt: now,
    expiresAt: options.expiresAt === null ? undefined : end,
    longLived: options.longLived,
    grantId: grant.id,
    passwordGeneration: user.passwordGeneration,
    revoked: false,
    refreshedAt: now,
  })
}

/** The Page's token that a listing with this user token gives: always the same, and without an end if that is long-lived. */
export function pageTokenOf(world: World, parent: Token, page: Page): Token {
  const key = `${parent.value} ${page.id}`
  const known = world.pageTokens.get(key)
  if (known !== undefined) return known
  const token = keep(world, {
    ...parent,
    value: tokenValue('facebook'),
    kind: 'page',
    pageId: page.id,
    issuedAt: world.now(),
    expiresAt: parent.longLived ? undefined : parent.expiresAt,
  })
  world.pageTokens.set(key, token)
  return token
}

/** The app's own token. It is derived from the secret, so nothing has to be kept. */
export function appToken(world: World, app: App): Token {
  const now = world.now()
  return {
    value: appTokenValue(app.id, app.secret),
    kind: 'app',
    appId: app.id,
    userId: undefined,
    pageId: undefined,
    issuedAt: now,
    expiresAt: undefined,
    longLived: true,
    grantId: undefined,
    passwordGeneration: undefined,
    revoked: false,
    refreshedAt: now,
  }
}

function keep(world: World, token: Token): Token {
  world.tokens.set(token.value, token)
  return token
}
