/** What a line can tell of an account, under the names that `--map` knows. */
export const FIELDS = [
  'platform',
  'ownerId',
  'ownerEmail',
  'externalId',
  'displayName',
  'accessToken',
  'refreshToken',
  'serviceUrl',
  'appId',
  'scopes',
  'expiresAt',
  'dataAccessExpiresAt',
  'issuedAt',
] as const

export type Field = (typeof FIELDS)[number]

/** Where a field is found: a path in the line, or a constant. */
export type Place =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'constant'; readonly value: string }

/** A field that is not named is looked for under its own name. */
export type Mapping = Readonly<Partial<Record<Field, Place>>>

const PRESET_TEXTS = {
  bluesky: {
    platform: ':bluesky',
    externalId: 'did',
    displayName: 'handle',
    serviceUrl: 'service',
    accessToken: 'accessJwt',
    refreshToken: 'refreshJwt',
  },
  meta: { platform: ':meta', externalId: 'meta_user_id', accessToken: 'access_token', expiresAt: 'expires_at' },
  instagram: { platform: ':instagram', externalId: 'user_id', accessToken: 'access_token', expiresAt: 'expires_at' },
  threads: { platform: ':threads', externalId: 'user_id', accessToken: 'access_token', expiresAt: 'expires_at' },
} satisfies Record<string, Partial<Record<Field, string>>>

export const PRESET_NAMES = Object.keys(PRESET_TEXTS) as (keyof typeof PRESET_TEXTS)[]
export type PresetName = (typeof PRESET_NAMES)[number]

export function presetOf(name: PresetName): Mapping {
  return mappingOf(PRESET_TEXTS[name])
}

/** `path.in.the.line`, or `:constant`. */
export function mappingOf(texts: Readonly<Partial<Record<Field, string>>>): Mapping {
  return Object.fromEntries(Object.entries(texts).map(([field, text]) => [field, placeOf(text)]))
}

function placeOf(text: string): Place {
  return text.startsWith(':') ? { kind: 'constant', value: text.slice(1) } : { kind: 'path', path: text }
}
