/**
 * Every error a user can meet, by its stable code. The public message is ours and may go anywhere; the internal detail
 * (what a provider or a library said) stays in the process and its redacted log.
 */
export const ERRORS = {
  CONFIG_INVALID: 'The configuration has mistakes.',
  INPUT_MISSING: 'Something that is needed was not given.',
  ACCOUNT_NOT_FOUND: 'There is no such account.',
  ACCOUNT_EXISTS: 'This login is connected already.',
  ACCOUNT_REMOVING: 'This account is being removed.',
  ACCOUNT_CHANGED: 'The account changed meanwhile; look at it and try again.',
  LOGIN_REFUSED: 'The provider refused the login: check handle and app password.',
  LOGIN_FAILED: 'The login could not be carried out now; try again later.',
  LOGIN_CODE_REFUSED: 'This login has expired or was used already: start it again.',
  HANDLE_UNKNOWN: 'The handle could not be resolved to an account.',
  ADDRESS_REFUSED: 'This address is not allowed: it is in a private network. ALLOWED_PRIVATE_HOSTS lists exceptions.',
  ADDRESS_INVALID: 'This is not an https address that can be used.',
  KEY_MISSING: 'The encryption key that sealed this value is not in the key ring.',
  KEY_RING_INVALID: 'The encryption keys cannot be used.',
  SEALED_VALUE_CORRUPT: 'A sealed value does not open: it was changed, or belongs to another account.',
  STORE_URL_UNKNOWN: 'DATABASE_URL names no known store: use sqlite:PATH or mongodb://HOST/DATABASE.',
  STORE_NOT_FOUND: 'There is no database at the address to read from.',
  STORE_UNAVAILABLE: 'The database cannot be reached or written now.',
  STORE_CORRUPT: 'The database file is damaged or is no SQLite file. Restore it from a backup, or move it away.',
  STORE_REFUSED: 'The database refused the login, or its user lacks rights that are needed. Check DATABASE_URL.',
  STORE_TOO_OLD: 'This database server is too old: Tokenkeeper needs MongoDB 4.4 or newer.',
  STORE_OUTDATED:
    'The database was made by an older Tokenkeeper. The next start brings it up to date; only looking changes nothing.',
  STORE_TOO_NEW: 'The database was made by a newer Tokenkeeper. Upgrade this one.',
  STORE_NOT_EMPTY: 'There are accounts in this database already.',
  STORE_IN_USE: 'Tokenkeeper is at work on this database. Stop all its processes first.',
  BACKUP_EXISTS: 'There is a file of this name already: name another one.',
  BACKUP_UNWRITABLE: 'The backup cannot be written there: check the directory, its rights and the space on its disk.',
  BACKUP_INVALID: 'This file is no backup of Tokenkeeper, or it is damaged.',
  JOURNAL_UNREADABLE: 'The journal cannot be read: check the directory and its rights.',
  SPOOL_UNAVAILABLE: 'The spool directory cannot be written: refreshes wait, so that no answer can be lost.',
  REDIS_UNAVAILABLE: 'Redis cannot be reached.',
  REDIS_TOO_OLD: 'This Redis is too old: Tokenkeeper needs 6.2 or newer.',
  NO_WORKERS: 'No worker is running that would take the job.',
  JOB_INVALID: 'A job in the queue holds data that cannot be used.',
  PROVIDER_OFF: 'This platform is not configured.',
  PROVIDER_UNAVAILABLE: 'The provider did not answer, or answered with an error of its own.',
  PROVIDER_TIMEOUT: 'The provider did not answer in time.',
  PROVIDER_UNREACHABLE: 'The provider could not be reached; nothing was sent.',
  PROVIDER_RATE_LIMITED: 'The provider asks us to wait.',
  PROVIDER_BAD_ANSWER: 'The provider gave an answer that cannot be used.',
  PROVIDER_WRONG_ACCOUNT: 'The provider answered for another account.',
  PROVIDER_REJECTED_REQUEST: 'The provider rejected the request as malformed. Please report this as a bug.',
  PROVIDER_SHORTER_TOKEN: 'The provider offered a token that ends sooner than the stored one; the stored one was kept.',
  PROVIDER_UNKNOWN_ERROR: 'The provider answered with an error that is not known yet. Please report it.',
  TOKEN_NOT_EXTENDED: 'The provider accepts the token but gives it no later end: connect again before it is over.',
  DATA_ACCESS_ENDING: 'The access to the data of this user ends soon: connect again before that.',
  APP_CHANGED:
    'This login was made through another app than the one that is configured: connect again, or configure that app.',
  LEASE_LOST: 'The process was held up before it could send; the refresh will be tried again.',
  IDENTITY_UNRESOLVED: 'The identity could not be looked up now, so the verdict waits.',
  BLUESKY_SESSION_EXPIRED: 'The session has expired or was revoked; the user has to connect again.',
  BLUESKY_TOKEN_REFUSED: 'The host does not accept this session; the user has to connect again.',
  BLUESKY_WRONG_ISSUER: 'The stored session names another issuer than at its connect; it was not sent.',
  BLUESKY_ACCOUNT_GONE: 'The account is no longer at its host.',
  BLUESKY_MOVED: 'The account moved to another host; the user has to connect again there.',
  BLUESKY_TAKEN_DOWN: 'The account was taken down by its host.',
  BLUESKY_DEACTIVATED: 'The account is deactivated; its session is kept alive.',
  META_ACCESS_REVOKED: 'The user removed the app; the user has to connect again.',
  META_SESSION_ENDED: 'The user changed the password or logged out; the user has to connect again.',
  META_TOKEN_EXPIRED: 'The token has expired; the user has to connect again.',
  META_TOKEN_INVALID: 'The provider does not accept this token; the user has to connect again.',
  META_INACTIVE: 'The user has not used the app for 90 days; the user has to connect again.',
  META_CHECKPOINT: 'The provider asks the user to log in there and confirm the account.',
  META_UNCONFIRMED: 'The user has to confirm the account at the provider.',
  META_PERMISSION_MISSING: 'A permission was withdrawn or has lapsed: the user has to grant it again.',
  META_POLICY_BLOCK: 'The provider blocks this account for a while.',
  META_UNUSUAL_CALLS: 'The provider finds the calls for this account unusual and limits them.',
  META_APP_INVALID: 'The provider does not know the app, or has disabled it: check its id and its dashboard.',
  META_APP_SECRET_WRONG: 'The provider does not accept the app secret: check it in the configuration.',
  META_APP_BLOCKED: 'The provider blocks the app or its developer: see its dashboard.',
  META_PROOF_REFUSED:
    "The provider refuses the proof made with the app secret: secret or token are of another app, or this machine's clock is wrong.",
  META_APP_INCAPABLE: 'The app lacks a capability that this call needs: see its dashboard.',
  META_VERSION_EXPIRED: 'The configured version of the API has expired: set META_GRAPH_VERSION to a newer one.',
  META_PAGE_LOST: 'The user has lost access to this Page.',
  META_PAGE_MISSING: 'The provider no longer lists this Page for the user.',
  IMPORT_SOURCE_UNREADABLE: 'The source of the import cannot be read.',
  IMPORT_LINE_UNREADABLE: 'This line cannot be read.',
  IMPORT_FIELD_MISSING: 'A field that is needed is missing.',
  IMPORT_FIELD_INVALID: 'A field holds a value that cannot be used.',
  IMPORT_TOKEN_INVALID: 'This is no token of the kind that is needed.',
  IMPORT_TOKEN_EXPIRED: 'The token has expired; the user has to connect again.',
  INVALID_REQUEST: 'The request is malformed.',
  UNAUTHORIZED: 'This needs a valid API key: send it as `Authorization: Bearer KEY`.',
  FORBIDDEN: 'This API key may not do that.',
  NOT_FOUND: 'There is nothing at this address.',
  RUN_NOT_FOUND: 'There is no such run.',
  SCHEDULE_NOT_FOUND: 'There is no such schedule.',
  SCHEDULE_PINNED: 'This part of the schedule is set by the environment: change it there.',
  HALT_NOT_FOUND: 'This platform is not halted.',
  API_KEY_NOT_FOUND: 'There is no such API key.',
  ACCOUNT_NEEDS_PERSON: 'This account cannot be refreshed until a person has seen to it.',
  JOB_STATE: 'The job is not in the state that this takes.',
  LISTEN_FAILED: 'The API cannot listen at its address: check API_HOST and API_PORT.',
  RATE_LIMITED: 'Too many requests: wait a little and try again.',
  SANDBOX_FAILED: 'The sandbox could not be started.',
  INTERNAL: 'Something went wrong inside Tokenkeeper.',
} as const satisfies Record<string, string>

export type ErrorCode = keyof typeof ERRORS

export interface ErrorDetails {
  /** Internal: what really happened. Logged after redaction, never shown. */
  readonly internal?: string
  readonly cause?: unknown
  /** Replaces the table's text where a public detail helps; must hold nothing secret. */
  readonly publicMessage?: string
}

/** An error with a stable code. `message` is public; `internal` and `cause` are not, and no serializer meets them. */
export class CodedError extends Error {
  override name = 'CodedError'
  readonly code: ErrorCode
  /** Private, so that neither JSON nor inspection nor a copy of the fields carries it along. */
  readonly #internal: string | undefined

  constructor(code: ErrorCode, details: ErrorDetails = {}) {
    super(details.publicMessage ?? ERRORS[code], details.cause === undefined ? {} : { cause: details.cause })
    this.code = code
    this.#internal = details.internal
  }

  get internal(): string | undefined {
    return this.#internal
  }

  toJSON(): { code: ErrorCode; message: string } {
    return { code: this.code, message: this.message }
  }
}

export function hasCode(error: unknown, code: ErrorCode): boolean {
  return error instanceof CodedError && error.code === code
}

/** Any thrown value as a coded error; what is not ours becomes INTERNAL, its own words kept internal. */
export function toCodedError(error: unknown): CodedError {
  if (error instanceof CodedError) return error
  return new CodedError('INTERNAL', { internal: error instanceof Error ? error.message : String(error), cause: error })
}
