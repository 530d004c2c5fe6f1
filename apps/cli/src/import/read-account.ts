import type { ProviderOptions } from '@tokenkeeper/context'
import { CodedError, PLATFORMS } from '@tokenkeeper/core'
import type { AccountImport } from '@tokenkeeper/engine'
import { readStoredSession, readStoredToken, type StoredLogin } from '@tokenkeeper/providers'
import { z } from 'zod'
import type { Field, Mapping } from './fields.ts'
import { mapFields } from './map-fields.ts'
import type { SourceRow } from './row.ts'
import { readTime } from './times.ts'

const MAX_TEXT = 500
const MAX_TOKEN = 20_000

const scalar = z.union([z.string(), z.number(), z.bigint()]).transform((value) => String(value).trim())
/** Without control characters: names are shown on terminals. */
const text = scalar.pipe(
  z
    .string()
    .max(MAX_TEXT)
    .regex(/^\P{Cc}+$/u),
)
const token = z.string().trim().min(1).max(MAX_TOKEN)
const time = z
  .unknown()
  .default(null)
  .transform((value, context) => {
    const time = readTime(value)
    if (time === undefined) context.addIssue({ code: 'custom' })
    return time ?? null
  })
const list = z.union([z.array(z.string()), z.string().transform(splitList)]).default([])

const common = { ownerId: text.optional(), ownerEmail: text.optional(), displayName: text.optional() }
const graphAccount = z.object({
  ...common,
  platform: z.enum(PLATFORMS.filter((platform) => platform !== 'bluesky')),
  externalId: text,
  accessToken: token,
  appId: text.optional(),
  scopes: list,
  expiresAt: time,
  dataAccessExpiresAt: time,
  issuedAt: time,
})
const blueskyAccount = z.object({
  ...common,
  platform: z.literal('bluesky'),
  externalId: text.optional(),
  accessToken: token,
  refreshToken: token,
  serviceUrl: text.optional(),
})
const account = z.discriminatedUnion('platform', [blueskyAccount, graphAccount])

export interface ReadOptions {
  readonly mapping: Mapping
  /** Whose an account is where its line does not tell. */
  readonly owner: string
  readonly providers: ProviderOptions
}

/** A line as a login to import. Throws a CodedError that says why not, without repeating what stands there. */
export function readAccount({ fields }: SourceRow, { mapping, owner, providers }: ReadOptions): AccountImport {
  if (fields === null) throw new CodedError('IMPORT_LINE_UNREADABLE')
  const mapped = mapFields(fields, mapping)
  const parsed = account.safeParse(mapped)
  if (!parsed.success) {
    const field = String(parsed.error.issues[0]?.path[0] ?? 'platform') as Field
    throw fieldError(field, mapped[field] === undefined)
  }
  const { ownerId = owner, ownerEmail } = parsed.data
  return { ownerId, ...(ownerEmail !== undefined && { ownerEmail }), login: readLogin(parsed.data, providers) }
}

function readLogin(read: z.infer<typeof account>, providers: ProviderOptions): StoredLogin {
  if (read.platform === 'bluesky') {
    return readStoredSession(providers.bluesky, {
      accessJwt: read.accessToken,
      refreshJwt: read.refreshToken,
      did: read.externalId,
      handle: read.displayName?.replace(/^@/, ''),
      service: read.serviceUrl,
    })
  }
  const options = providers[read.platform]
  if (!options) throw new CodedError('PROVIDER_OFF')
  return readStoredToken(options, read)
}

const HINTS: Readonly<Partial<Record<Field, string>>> = {
  platform: `: --preset or --map platform=:NAME tells it (${PLATFORMS.join(', ')})`,
}

/** The field alone: zod's own words may repeat its value. */
function fieldError(field: Field, isMissing: boolean): CodedError {
  return isMissing
    ? new CodedError('IMPORT_FIELD_MISSING', { publicMessage: `${field} is missing${HINTS[field] ?? ''}.` })
    : new CodedError('IMPORT_FIELD_INVALID', { publicMessage: `${field} holds a value that cannot be used.` })
}

/** `a,b`, `a b`, or a list as JSON. */
function splitList(value: string): string[] {
  const parts = value.replace(/^\s*[[{]|[\]}]\s*$/g, '').split(/[\s,]+/)
  return parts.map((part) => part.replace(/^"|"$/g, '')).filter((part) => part !== '')
}
