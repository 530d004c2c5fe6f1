import { DAY, DEFAULT_DUE_POLICY, type DuePolicy, SECOND } from '@tokenkeeper/core'
import { ConfigError, type ConfigProblem } from './config-error.ts'
import { checkValues } from './cross-checks.ts'
import type { Env } from './env.ts'
import { nearMisses } from './near-misses.ts'
import { DEFAULT_REDIS_PORT } from './redis-address.ts'
import { readSecret, Secret } from './secrets.ts'
import { VARIABLES, type Values, variableList } from './variables.ts'

/** Everything that can be configured. Safe to print: what is secret hides itself. */
export interface Config {
  readonly environment: Values['NODE_ENV']
  readonly dataDir: string
  /** The address may hold a password. */
  readonly store: { readonly url: Secret }
  /** `id:key,id:key`, the first seals; undefined = none given (not in production). */
  readonly keys: Secret | undefined
  /** undefined = nothing given. */
  readonly redis: RedisConfig | undefined
  readonly queue: { readonly prefix: string; readonly sweepEveryMs: number }
  readonly worker: { readonly concurrency: number; readonly nowConcurrency: number }
  /** How long what has happened is kept (ms). */
  readonly retention: {
    readonly log: number
    readonly events: number
    readonly runs: number
    readonly audit: number
    readonly journal: number
  }
  readonly health: { readonly port: number | undefined }
  readonly api: {
    readonly host: string
    readonly port: number
    /** Addresses and networks whose word on the client's address and on https is taken. */
    readonly trustedProxies: readonly string[]
    /** The first key to the API, of the role admin; undefined = none given. */
    readonly adminKey: Secret | undefined
  }
  readonly log: { readonly level: Values['LOG_LEVEL']; readonly format: 'pretty' | 'json' }
  readonly due: DuePolicy
  /** Timing of the refresh protocol (ms); docs/configuration.md tells what each means. */
  readonly protocol: {
    readonly leaseMs: number
    readonly renewMs: number
    readonly staleScanMs: number
    readonly providerTimeoutMs: number
    readonly witnessMs: number
    readonly holdMs: number
  }
  /** What is set of the schedules that there always are; undefined = not here. */
  readonly schedules: Readonly<Record<'meta-daily' | 'bluesky-weekly', ScheduleConfig>>
  readonly bluesky: {
    readonly plcUrl: string
    readonly allowedPrivateHosts: readonly string[]
  }
  readonly meta: {
    /** undefined = the platform is off; as below. */
    readonly app: AppConfig | undefined
    readonly graphUrl: string
    readonly graphVersion: string
    readonly dialogUrl: string
  }
  readonly instagram: {
    readonly app: AppConfig | undefined
    readonly graphUrl: string
    readonly apiUrl: string
    readonly dialogUrl: string
  }
  readonly threads: {
    readonly app: AppConfig | undefined
    readonly graphUrl: string
    readonly dialogUrl: string
  }
  /** Names of variables that look like slips of the pen, in words. */
  readonly warnings: readonly string[]
}

export interface ScheduleConfig {
  readonly pattern: string | undefined
  readonly tz: string | undefined
  readonly runLimit: number | undefined
}

/** Our app at a provider. */
export interface AppConfig {
  readonly id: string
  readonly secret: Secret
}

export interface RedisConfig {
  readonly host: string
  readonly port: number
  readonly username: string | undefined
  readonly password: Secret | undefined
  readonly db: number
  readonly tls: boolean
  /** The authority that signed the server's certificate (PEM); undefined = one that Node knows. */
  readonly ca?: string | undefined
}

/**
 * The typed configuration. Depends on the variables alone, and on the files that `*_FILE` variables name.
 * Throws ConfigError (CONFIG_INVALID) with all mistakes at once.
 */
export function loadConfig(env: Env): Config {
  const problems: ConfigProblem[] = []
  const parsed = parseVariables(env, problems)
  checkValues(parsed, problems)
  if (problems.length > 0) throw new ConfigError(problems)
  // Every variable without a problem has been parsed.
  const values = parsed as Values
  return {
    environment: values.NODE_ENV,
    dataDir: values.DATA_DIR,
    store: { url: new Secret(values.DATABASE_URL ?? `sqlite:${values.DATA_DIR}/tokenkeeper.db`) },
    keys: secretOf(values.TOKEN_ENCRYPTION_KEYS),
    redis: redisOf(values),
    queue: { prefix: values.QUEUE_PREFIX, sweepEveryMs: values.SWEEP_EVERY_SECONDS * SECOND },
    worker: { concurrency: values.WORKER_CONCURRENCY, nowConcurrency: values.WORKER_NOW_CONCURRENCY },
    retention: {
      log: values.LOG_RETENTION_DAYS * DAY,
      events: values.EVENTS_RETENTION_DAYS * DAY,
      runs: values.RUNS_RETENTION_DAYS * DAY,
      audit: values.AUDIT_RETENTION_DAYS * DAY,
      journal: values.JOURNAL_DAYS * DAY,
    },
    health: { port: values.HEALTH_PORT },
    api: {
      host: values.API_HOST,
      port: values.API_PORT,
      trustedProxies: values.TRUSTED_PROXIES,
      adminKey: secretOf(values.ADMIN_API_KEY),
    },
    log: {
      level: values.LOG_LEVEL,
      format: values.LOG_FORMAT ?? (values.NODE_ENV === 'production' ? 'json' : 'pretty'),
    },
    due: {
      ...DEFAULT_DUE_POLICY,
      thresholdMs: values.REFRESH_THRESHOLD_DAYS * DAY,
      rotateEveryMs: values.BLUESKY_REFRESH_EVERY_DAYS * DAY,
    },
    protocol: {
      leaseMs: values.LEASE_MS,
      renewMs: values.LEASE_RENEW_MS,
      staleScanMs: values.STALE_SCAN_MS,
      providerTimeoutMs: values.PROVIDER_TIMEOUT_MS,
      witnessMs: values.DEAD_WITNESS_MS,
      holdMs: values.DEAD_HOLD_MS,
    },
    schedules: {
      'meta-daily': { pattern: values.META_CRON, tz: values.SCHEDULE_TIMEZONE, runLimit: values.META_LIMIT },
      'bluesky-weekly': { pattern: values.BLUESKY_CRON, tz: values.SCHEDULE_TIMEZONE, runLimit: values.BLUESKY_LIMIT },
    },
    bluesky: { plcUrl: values.PLC_URL, allowedPrivateHosts: values.ALLOWED_PRIVATE_HOSTS },
    meta: {
      app: appOf(values.APP_ID, values.APP_SECRET),
      graphUrl: values.META_GRAPH_URL,
      graphVersion: values.META_GRAPH_VERSION,
      dialogUrl: values.META_DIALOG_URL,
    },
    instagram: {
      app: appOf(values.INSTAGRAM_APP_ID, values.INSTAGRAM_APP_SECRET),
      graphUrl: values.INSTAGRAM_GRAPH_URL,
      apiUrl: values.INSTAGRAM_API_URL,
      dialogUrl: values.INSTAGRAM_DIALOG_URL,
    },
    threads: {
      app: appOf(values.THREADS_APP_ID, values.THREADS_APP_SECRET),
      graphUrl: values.THREADS_GRAPH_URL,
      dialogUrl: values.THREADS_DIALOG_URL,
    },
    warnings: nearMisses(Object.keys(env)),
  }
}

/** Parses each variable by itself; an empty value counts as not set. */
function parseVariables(env: Env, problems: ConfigProblem[]): Partial<Values> {
  const given = (name: string) => env[name]?.trim() || undefined
  const parsed: Record<string, unknown> = {}
  for (const { name, secret, default: fallback } of variableList) {
    const before = problems.length
    const text = (secret ? readSecret(name, given, (it) => problems.push(it)) : given(name)) ?? fallback
    if (text === null || problems.length > before) continue
    const result = VARIABLES[name].schema.safeParse(text)
    if (result.success) parsed[name] = result.data
    else problems.push({ variable: name, message: result.error.issues[0]!.message })
  }
  return parsed
}

function redisOf(values: Values): RedisConfig | undefined {
  const ca = values.REDIS_TLS_CA
  if (values.REDIS_URL !== undefined) return { ...values.REDIS_URL, password: secretOf(values.REDIS_URL.password), ca }
  const { REDIS_HOST, REDIS_PORT, REDIS_USERNAME, REDIS_PASSWORD, REDIS_DB, REDIS_TLS } = values
  const given = [REDIS_HOST, REDIS_PORT, REDIS_USERNAME, REDIS_PASSWORD, REDIS_DB, REDIS_TLS]
  if (given.every((value) => value === undefined)) return undefined
  return {
    host: REDIS_HOST ?? '127.0.0.1',
    port: REDIS_PORT ?? DEFAULT_REDIS_PORT,
    username: REDIS_USERNAME,
    password: secretOf(REDIS_PASSWORD),
    db: REDIS_DB ?? 0,
    tls: REDIS_TLS ?? false,
    ca,
  }
}

function appOf(id: string | undefined, secret: string | undefined): AppConfig | undefined {
  return id === undefined || secret === undefined ? undefined : { id, secret: new Secret(secret) }
}

function secretOf(value: string | undefined): Secret | undefined {
  return value === undefined ? undefined : new Secret(value)
}
