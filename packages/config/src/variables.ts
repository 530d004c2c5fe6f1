import type { z } from 'zod'
import * as form from './forms.ts'
import { PLATFORM_VARIABLES } from './platform-variables.ts'
import { redisUrl } from './redis-address.ts'
import type { Section, Variable } from './variable.ts'

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
const SECOND = 1_000
const DAY = 86_400_000

/** Every variable that is read, and nothing else. This table drives parsing, docs/configuration.md and .env.example. */
export const VARIABLES = {
  NODE_ENV: {
    section: 'General',
    schema: form.oneOf(['development', 'production', 'test']),
    default: 'development',
    description: 'In `production` the encryption keys must be given, and logs are JSON.',
  },
  DATA_DIR: {
    section: 'General',
    schema: form.text('a directory'),
    default: '.data',
    description:
      'Holds the database file, the spool, the journal, and the encryption keys that development makes for itself.',
  },
  DATABASE_URL: {
    section: 'General',
    schema: form.text('an address of a store'),
    otherwise: 'sqlite:DATA_DIR/tokenkeeper.db',
    secret: true,
    description: 'Where accounts are kept: `sqlite:PATH` on one machine, `mongodb://HOST/DATABASE` for several.',
  },
  TOKEN_ENCRYPTION_KEYS: {
    section: 'Encryption',
    schema: form.keyRing(),
    otherwise: 'made in DATA_DIR; required in production',
    secret: true,
    description: 'The keys that open credentials; the first one also seals. Without them every account is lost.',
  },
  REDIS_URL: {
    section: 'Redis',
    schema: redisUrl(),
    secret: true,
    description: 'Where Redis is. Stands alone: instead of it, the variables below.',
  },
  REDIS_HOST: {
    section: 'Redis',
    schema: form.text('a host name or an address'),
    otherwise: '127.0.0.1, if another of these is set',
    description: 'Host of Redis. If none of these variables is set, `start` looks for a Redis by itself.',
  },
  REDIS_PORT: {
    section: 'Redis',
    schema: form.wholeNumber(1, 65_535),
    otherwise: '6379, if another of these is set',
    description: 'Port of Redis.',
  },
  REDIS_USERNAME: {
    section: 'Redis',
    schema: form.text('a user name'),
    description: 'User of Redis, with a password.',
  },
  REDIS_PASSWORD: { section: 'Redis', schema: form.text(), secret: true, description: 'Password of Redis.' },
  REDIS_DB: {
    section: 'Redis',
    schema: form.wholeNumber(0, 9_999),
    otherwise: '0, if another of these is set',
    description: 'Number of the Redis database.',
  },
  REDIS_TLS: {
    section: 'Redis',
    schema: form.yesOrNo(),
    otherwise: 'false, if another of these is set',
    description: 'Whether to talk to Redis over TLS.',
  },
  REDIS_TLS_CA: {
    section: 'Redis',
    schema: form.certificate(),
    otherwise: 'the authorities that Node knows',
    secret: true,
    description: 'The authority that signed the certificate of Redis; `REDIS_TLS_CA_FILE` names its file.',
  },
  QUEUE_PREFIX: {
    section: 'Queues and workers',
    schema: form.queuePrefix(),
    default: '{tokenkeeper}',
    description: 'Begins every key in Redis. The hash tag keeps them in one slot of a cluster.',
  },
  WORKER_CONCURRENCY: {
    section: 'Queues and workers',
    schema: form.wholeNumber(1, 1_000),
    default: '50',
    description: 'Refreshes that one worker process carries out at a time.',
  },
  WORKER_NOW_CONCURRENCY: {
    section: 'Queues and workers',
    schema: form.wholeNumber(1, 1_000),
    default: '10',
    description: 'The same for manual and urgent refreshes, which have their own places.',
  },
  ADMIN_API_KEY: {
    section: 'API',
    schema: form.longText(32),
    secret: true,
    description:
      'The first key to the API, of the role admin (`openssl rand -hex 32`). `api-keys create` makes others.',
  },
  API_HOST: {
    section: 'API',
    schema: form.text('an address or a host name of this machine'),
    default: '127.0.0.1',
    description: 'Where the API listens. Beyond loopback it belongs behind a proxy that speaks https.',
  },
  API_PORT: {
    section: 'API',
    schema: form.wholeNumber(0, 65_535),
    default: '3000',
    description: 'Port of the API; 0 takes a free one.',
  },
  TRUSTED_PROXIES: {
    section: 'API',
    schema: form.networkList(),
    default: '',
    description:
      'The proxies before the API. Only what comes from them is believed about the client (`X-Forwarded-For`) and https (`X-Forwarded-Proto`).',
  },
  HEALTH_PORT: {
    section: 'API',
    schema: form.wholeNumber(0, 65_535),
    description:
      'Where a worker or a scheduler serves `/healthz` and `/readyz`, on loopback. Not set: nowhere. The API serves its own.',
  },
  LOG_LEVEL: {
    section: 'Logging',
    schema: form.oneOf(LEVELS),
    default: 'info',
    description: 'The least level that is logged. At `debug` and `trace` errors show their stack.',
  },
  LOG_FORMAT: {
    section: 'Logging',
    schema: form.oneOf(['pretty', 'json']),
    otherwise: 'json in production, else pretty',
    description: 'Lines for people, or one JSON object a line for programs.',
  },
  REFRESH_THRESHOLD_DAYS: {
    section: 'Due times and schedules',
    schema: form.wholeNumber(1, 45),
    default: '7',
    description:
      'Tokens that are extended are refreshed this long before they end. Accounts spread over up to 48 h earlier.',
  },
  BLUESKY_REFRESH_EVERY_DAYS: {
    section: 'Due times and schedules',
    schema: form.wholeNumber(1, 60),
    default: '7',
    description: 'Bluesky sessions, which end 90 days after their last refresh, are refreshed this often at least.',
  },
  SWEEP_EVERY_SECONDS: {
    section: 'Due times and schedules',
    schema: form.wholeNumber(1, 3_600),
    default: '60',
    description: 'How often accounts that have fallen due are looked for.',
  },
  META_CRON: {
    section: 'Due times and schedules',
    schema: form.cronPattern(),
    otherwise: 'what `schedules set` says, else `0 2 * * *`',
    description: 'When the schedule `meta-daily` starts its run over all accounts of Meta, Instagram and Threads.',
  },
  META_LIMIT: {
    section: 'Due times and schedules',
    schema: form.wholeNumber(1, 1_000_000),
    otherwise: 'what `schedules set` says, else none',
    description: 'How many runs the schedule `meta-daily` starts in all.',
  },
  BLUESKY_CRON: {
    section: 'Due times and schedules',
    schema: form.cronPattern(),
    otherwise: 'what `schedules set` says, else `0 0 * * 0`',
    description: 'When the schedule `bluesky-weekly` starts its run over all Bluesky accounts.',
  },
  BLUESKY_LIMIT: {
    section: 'Due times and schedules',
    schema: form.wholeNumber(1, 1_000_000),
    otherwise: 'what `schedules set` says, else none',
    description: 'How many runs the schedule `bluesky-weekly` starts in all.',
  },
  SCHEDULE_TIMEZONE: {
    section: 'Due times and schedules',
    schema: form.timeZone(),
    otherwise: 'what `schedules set` says, else UTC',
    description: 'The time zone of these cron patterns, and of schedules that are made without one.',
  },
  LOG_RETENTION_DAYS: {
    section: 'Retention',
    schema: form.wholeNumber(1, 36_500),
    default: '400',
    description: 'How long entries of the refresh log are kept.',
  },
  EVENTS_RETENTION_DAYS: {
    section: 'Retention',
    schema: form.wholeNumber(1, 36_500),
    default: '30',
    description: 'How long events are kept. What still holds after that may be told again.',
  },
  RUNS_RETENTION_DAYS: {
    section: 'Retention',
    schema: form.wholeNumber(1, 36_500),
    default: '90',
    description: 'How long a run is kept after its end.',
  },
  AUDIT_RETENTION_DAYS: {
    section: 'Retention',
    // What was removed, and which of the board's sessions were ended, is known by its entries.
    schema: form.wholeNumber(30, 36_500),
    default: '400',
    description: 'How long it is kept what people did; at least JOURNAL_DAYS.',
  },
  JOURNAL_DAYS: {
    section: 'Retention',
    schema: form.wholeNumber(1, 3_650),
    default: '30',
    description:
      'How long the journal in DATA_DIR is kept, which brings a restored backup up to date: longer than the oldest backup that you may need.',
  },
  ...PLATFORM_VARIABLES,
  LEASE_MS: {
    section: 'Timing of the refresh protocol',
    schema: form.wholeNumber(100, 10 * 60 * SECOND),
    default: '12000',
    description: 'An attempt whose process has died is taken over when its lease ends.',
  },
  LEASE_RENEW_MS: {
    section: 'Timing of the refresh protocol',
    schema: form.wholeNumber(10, 5 * 60 * SECOND),
    default: '4000',
    description: 'How often the lease is renewed while the call runs; less than half of LEASE_MS.',
  },
  STALE_SCAN_MS: {
    section: 'Timing of the refresh protocol',
    schema: form.wholeNumber(10, 10 * 60 * SECOND),
    default: '4000',
    description: 'How often each worker looks for attempts whose process has died; at most LEASE_MS.',
  },
  PROVIDER_TIMEOUT_MS: {
    section: 'Timing of the refresh protocol',
    schema: form.wholeNumber(100, 120 * SECOND),
    default: '30000',
    description: 'How long an answer of a provider is waited for before its outcome counts as unknown.',
  },
  DEAD_WITNESS_MS: {
    section: 'Timing of the refresh protocol',
    schema: form.wholeNumber(100, DAY),
    default: '300000',
    description:
      'A session is believed dead when the provider says so twice, at least this far apart; less than DEAD_HOLD_MS.',
  },
  DEAD_HOLD_MS: {
    section: 'Timing of the refresh protocol',
    schema: form.wholeNumber(1_000, 30 * DAY),
    default: '86400000',
    description:
      'How long a death is not believed after an attempt of unknown outcome: a spool may hold the successor.',
  },
} as const satisfies Record<string, Variable>

export type VariableName = keyof typeof VARIABLES

/** The values of all variables, as their schemas yield them. */
export type Values = {
  readonly [Name in VariableName]:
    | z.output<(typeof VARIABLES)[Name]['schema']>
    | ((typeof VARIABLES)[Name] extends { readonly default: string } ? never : undefined)
}

export interface VariableInfo {
  readonly name: VariableName
  readonly section: Section
  readonly description: string
  /** The form of its value, in words. */
  readonly form: string
  readonly default: string | null
  /** The default in words, where it depends on something else. */
  readonly otherwise: string | null
  readonly secret: boolean
}

/** All variables for programs that show them. */
export const variableList: readonly VariableInfo[] = Object.entries<Variable>(VARIABLES).map(([name, variable]) => ({
  name: name as VariableName,
  section: variable.section,
  description: variable.description,
  form: variable.schema.description ?? 'a text',
  default: variable.default ?? null,
  otherwise: variable.otherwise ?? null,
  secret: variable.secret === true,
}))
