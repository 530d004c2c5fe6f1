/** Platforms whose accounts can be kept. */
export const PLATFORMS = ['bluesky', 'meta', 'instagram', 'threads'] as const
export type Platform = (typeof PLATFORMS)[number]

/**
 * What a refresh does to the token that was presented.
 * `extend`: it goes on working. `grace`: presenting it again yields the same successor for {@link GRACE_MS}.
 */
export type CredentialKind = 'extend' | 'grace'

/**
 * `needs_action`: the user can heal it at the provider. `needs_reconnect`: dead, only a new login helps.
 * `quarantined`: our own fault, the credential cannot be opened.
 */
export const ACCOUNT_STATUSES = [
  'active',
  'paused',
  'needs_action',
  'needs_reconnect',
  'quarantined',
  'removing',
] as const
export type AccountStatus = (typeof ACCOUNT_STATUSES)[number]

/**
 * What a refresh did to the end of a token that is extended. `extended`: the new one ends later than the one before.
 * `same_expiry`: it was accepted, but ends when that one did, or sooner. `unknown`: one of the two ends is not known, or
 * there is none.
 */
export type Extension = 'extended' | 'same_expiry' | 'unknown'

/** What asked for a refresh. */
export type RefreshType = 'scheduled' | 'manual' | 'on_demand' | 'test'

/** The secrets of an account in the clear. Lives in memory only; stores and spools see it sealed. */
export interface Credential {
  readonly accessToken: string
  readonly refreshToken: string
}

/** A credential that lost its place, sealed, and until when the provider may accept it (ms since the epoch). */
export interface FormerCredential {
  readonly sealed: string
  readonly keyId: string
  readonly until: number
}

/**
 * One refresh that has begun. `live`: its owner may be at work. `released`: its owner ended and the outcome is unknown.
 * `held`: the provider said dead, but an earlier attempt's successor may yet turn up in a spool.
 * All times are ms since the epoch.
 */
export interface Attempt {
  readonly id: string
  readonly state: 'live' | 'released' | 'held'
  readonly workerId: string
  /** The BullMQ job that began it, and which run of that job; null outside a job. */
  readonly jobId: string | null
  readonly jobRun: number
  /** This attempt displaced a live one of the same job before its lease ended. Happens once in a row. */
  readonly tookOverEarly: boolean
  readonly refreshType: RefreshType
  readonly beganAt: number
  readonly leaseUntil: number
  /** When a token of this generation may first have reached the provider; carried from attempt to attempt. */
  readonly firstSentAt: number
  /** Since when an earlier outcome of this generation is unknown; carried from attempt to attempt. */
  readonly unknownSince: number | null
  /** For `released` and `held`: when somebody may present the token again. */
  readonly notBefore: number
  readonly presentedDigest: string
}

export type AttemptOutcome =
  | 'refreshed'
  | 'failed'
  | 'ambiguous'
  | 'held'
  | 'dead'
  | 'needs_action'
  | 'interrupted'
  | 'superseded'
  | 'removed'

export interface LastAttempt {
  readonly id: string
  readonly outcome: AttemptOutcome
  readonly generation: number
  readonly at: number
}

/** Consecutive failures since the last success. `dead_suspected`: a first dead code waits for its second witness. */
export interface Failure {
  readonly count: number
  readonly class: FailureClass
  readonly code: string
  readonly since: number
}

export type FailureClass = 'transient' | 'rate_limited' | 'dead_suspected' | 'needs_action' | 'dead' | 'bug'

/** One connected login at one platform, of one owner: the document that every write of the protocol compares and sets. */
export interface Account {
  /** 24 hex digits. */
  readonly id: string
  readonly ownerId: string
  readonly platform: Platform
  /** Our app at the provider; empty where the platform knows no apps. */
  readonly providerAppId: string
  /** The login's id at the provider (Bluesky: the DID). */
  readonly externalId: string
  readonly displayName: string
  readonly status: AccountStatus
  /** Why it is in that status, as a stable code; may carry a detail after a space (`BLUESKY_MOVED https://new.host`). */
  readonly statusReason: string | null
  /** Where refreshes go, fixed at connect: a refresh token is sent only to the host that issued it. */
  readonly serviceUrl: string | null
  /** Who issued the tokens, as the tokens say (Bluesky: the refresh token's `aud`). */
  readonly issuer: string | null
  readonly scopes: readonly string[]
  /** Counts the credentials of this account; the fencing token. + 1 on commit, replay and reconnect, on nothing else. */
  readonly generation: number
  readonly sealedCredential: string
  readonly keyId: string
  readonly previousCredential: string | null
  readonly previousKeyId: string | null
  /** Earlier ones that the provider may still accept, the oldest first: never presented, only logged out at removal. */
  readonly formerCredentials: readonly FormerCredential[]
  /** New at each connect. */
  readonly connectId: string
  readonly accessExpiresAt: number | null
  /** After which only the user can help; null = unknown. */
  readonly diesAt: number | null
  readonly dataAccessExpiresAt: number | null
  readonly connectedAt: number
  readonly lastRefreshedAt: number | null
  readonly nextRefreshAt: number
  /** When pacing last postponed it. */
  readonly snoozedAt: number | null
  readonly failure: Failure | null
  readonly attempt: Attempt | null
  readonly lastAttempt: LastAttempt | null
  /** The generation whose token its Pages were fetched with; lower than `generation` = they are behind. */
  readonly pagesGeneration: number
  /** When its Pages are to be fetched; null = there is nothing to fetch. */
  readonly pagesDueAt: number | null
  readonly outbox: readonly OutboxItem[]
  readonly ownerEmail: string | null
  /** App password that the user chose to leave for recovery, sealed; and when it was last used for that. */
  readonly sealedAppPassword: string | null
  readonly appPasswordKeyId: string | null
  readonly appPasswordTriedAt: number | null
}

/** Every attempt that began ends in exactly one of these. */
export interface RefreshLogEntry {
  /** The attempt's id; of a Page `attempt:page`, with the connect's id where no attempt gave the token that listed it. */
  readonly id: string
  readonly accountId: string
  readonly pageId: string | null
  readonly refreshType: RefreshType
  readonly outcome: AttemptOutcome
  readonly success: boolean
  readonly errorClass: string | null
  readonly errorCode: string | null
  /** Public text; never the provider's own words. */
  readonly errorMessage: string | null
  readonly oldExpiresAt: number | null
  readonly newExpiresAt: number | null
  /** Null where nothing was refreshed, or where refreshing does not extend. */
  readonly extension: Extension | null
  /** The generation that the attempt began on; of a Page the one that listed it. */
  readonly generation: number
  /** Of the token that was presented; of a Page its own. */
  readonly tokenDigest: string
  readonly durationMs: number
  readonly workerId: string
  readonly refreshedAt: number
}

export type AccountEventType =
  | 'account.connected'
  | 'account.needs_action'
  | 'account.needs_reconnect'
  /** It is healthy, but only a new login keeps it so; the reason tells why. */
  | 'account.reconnect_soon'
  | 'account.revived'
  | 'account.quarantined'
  | 'account.unquarantined'
  /** The user's Pages cannot be listed until the user sees to it. */
  | 'pages.refused'
  /** Of the Page whose id at the provider ends the reason. */
  | 'page.needs_permission'
  | 'page.missing'
  | 'page.lost'

export interface AccountEvent {
  readonly id: string
  readonly accountId: string
  readonly type: AccountEventType
  /** Stable code, where there is one. */
  readonly reason: string | null
  readonly at: number
}

export type AuditAction =
  | 'account.removed'
  | 'account.paused'
  | 'account.resumed'
  | 'account.connected'
  | 'account.imported'
  | 'account.refresh_requested'
  | 'run.requested'
  | 'schedule.changed'
  | 'schedule.removed'
  | 'halt.ended'
  | 'job.retried'
  | 'job.promoted'
  | 'queue.paused'
  | 'queue.resumed'
  | 'api_key.created'
  | 'api_key.revoked'
  | 'session.ended'

/** What was done by a person; outlives the account. */
export interface AuditEntry {
  readonly id: string
  /** Empty where it was done to no account. */
  readonly accountId: string
  readonly action: AuditAction
  readonly actor: string
  /** What else it was done to: a queue and a job, a run, a key. */
  readonly detail: string | null
  readonly at: number
}

/** What a write must tell, pushed in the same write and copied by the relay under its own id. */
export type OutboxItem =
  | { readonly kind: 'log'; readonly id: string; readonly entry: RefreshLogEntry }
  | { readonly kind: 'event'; readonly id: string; readonly entry: AccountEvent }
  | { readonly kind: 'audit'; readonly id: string; readonly entry: AuditEntry }

/** A Bluesky PDS returns the same successor for the same token this long after its first use (measured; ms). */
export const GRACE_MS = 2 * 60 * 60 * 1000
