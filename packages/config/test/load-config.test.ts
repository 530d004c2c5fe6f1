import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { DAY, DEFAULT_DUE_POLICY, hasCode } from '@tokenkeeper/core'
import { describe, expect, test } from 'vitest'
import { ConfigError, type Env, loadConfig, variableList } from '../src/index.ts'

const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'

const key = () => randomBytes(32).toString('base64')

/** The mistakes in these variables, as `NAME message`. */
function problemsOf(env: Env): string[] {
  try {
    loadConfig(env)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ variable, message }) => `${variable} ${message}`)
    throw error
  }
  return []
}

describe('with nothing set', () => {
  test('everything has its default', () => {
    const config = loadConfig({})
    expect(config).toMatchObject({
      environment: 'development',
      dataDir: '.data',
      keys: undefined,
      redis: undefined,
      queue: { prefix: '{tokenkeeper}', sweepEveryMs: 60_000 },
      worker: { concurrency: 50, nowConcurrency: 10 },
      api: { host: '127.0.0.1', port: 3000, trustedProxies: [], adminKey: undefined },
      log: { level: 'info', format: 'pretty' },
      due: DEFAULT_DUE_POLICY,
      protocol: {
        leaseMs: 12_000,
        renewMs: 4_000,
        staleScanMs: 4_000,
        providerTimeoutMs: 30_000,
        witnessMs: 300_000,
        holdMs: DAY,
      },
      schedules: {
        'meta-daily': { pattern: undefined, tz: undefined, runLimit: undefined },
        'bluesky-weekly': { pattern: undefined, tz: undefined, runLimit: undefined },
      },
      bluesky: { plcUrl: 'https://plc.directory', allowedPrivateHosts: [] },
      meta: {
        app: undefined,
        graphUrl: 'https://graph.facebook.com',
        graphVersion: 'v26.0',
        dialogUrl: 'https://www.facebook.com',
      },
      instagram: {
        app: undefined,
        graphUrl: 'https://graph.instagram.com',
        apiUrl: 'https://api.instagram.com',
        dialogUrl: 'https://www.instagram.com',
      },
      threads: { app: undefined, graphUrl: 'https://graph.threads.net', dialogUrl: 'https://threads.net' },
      warnings: [],
    })
    expect(config.store.url.reveal()).toBe('sqlite:.data/tokenkeeper.db')
  })

  test('empty and blank values count as not set', () => {
    const empty = Object.fromEntries(variableList.map(({ name }) => [name, ' ']))
    expect(inspect(loadConfig(empty))).toBe(inspect(loadConfig({})))
  })
})

test('every variable finds its place', () => {
  const keys = `k2:${key()},k1:${key()}`
  const config = loadConfig({
    NODE_ENV: 'production',
    DATA_DIR: '/var/lib/tokenkeeper',
    TOKEN_ENCRYPTION_KEYS: keys,
    QUEUE_PREFIX: '{a}:b',
    WORKER_CONCURRENCY: '7',
    WORKER_NOW_CONCURRENCY: ' 3 ',
    LOG_LEVEL: 'debug',
    REFRESH_THRESHOLD_DAYS: '10',
    BLUESKY_REFRESH_EVERY_DAYS: '3',
    SWEEP_EVERY_SECONDS: '5',
    META_CRON: '0 */6 * * *',
    META_LIMIT: '100',
    BLUESKY_CRON: '30 4 * * 1-5',
    SCHEDULE_TIMEZONE: 'Europe/Berlin',
    TRUSTED_PROXIES: 'loopback, 10.0.0.0/8,FD00::1,',
    PLC_URL: 'http://localhost:2582/',
    ALLOWED_PRIVATE_HOSTS: 'PDS.internal, 10.0.0.7:3000,[::1]:2583,',
    APP_ID: '17841405793187218',
    APP_SECRET: 'secret-1',
    META_GRAPH_URL: 'http://127.0.0.1:8081/',
    META_GRAPH_VERSION: 'v25.0',
    META_DIALOG_URL: 'http://localhost:8082',
    INSTAGRAM_APP_ID: '2',
    INSTAGRAM_APP_SECRET: 'secret-2',
    INSTAGRAM_GRAPH_URL: 'http://127.0.0.1:8083',
    INSTAGRAM_API_URL: 'http://127.0.0.1:8084',
    INSTAGRAM_DIALOG_URL: 'http://127.0.0.1:8085',
    THREADS_APP_ID: '3',
    THREADS_APP_SECRET: 'secret-3',
    THREADS_GRAPH_URL: 'http://127.0.0.1:8086',
    THREADS_DIALOG_URL: 'http://127.0.0.1:8087',
    LEASE_MS: '1200',
    LEASE_RENEW_MS: '400',
    STALE_SCAN_MS: '401',
    PROVIDER_TIMEOUT_MS: '3000',
    DEAD_WITNESS_MS: '30000',
    DEAD_HOLD_MS: '8640000',
  })
  expect(config).toMatchObject({
    environment: 'production',
    dataDir: '/var/lib/tokenkeeper',
    queue: { prefix: '{a}:b', sweepEveryMs: 5_000 },
    worker: { concurrency: 7, nowConcurrency: 3 },
    log: { level: 'debug', format: 'json' },
    due: { thresholdMs: 10 * DAY, rotateEveryMs: 3 * DAY, spreadMs: DEFAULT_DUE_POLICY.spreadMs },
    protocol: {
      leaseMs: 1_200,
      renewMs: 400,
      staleScanMs: 401,
      providerTimeoutMs: 3_000,
      witnessMs: 30_000,
      holdMs: 8_640_000,
    },
    api: { trustedProxies: ['loopback', '10.0.0.0/8', 'fd00::1'] },
    bluesky: {
      plcUrl: 'http://localhost:2582',
      allowedPrivateHosts: ['pds.internal', '10.0.0.7:3000', '[::1]:2583'],
    },
    schedules: {
      'meta-daily': { pattern: '0 */6 * * *', tz: 'Europe/Berlin', runLimit: 100 },
      'bluesky-weekly': { pattern: '30 4 * * 1-5', tz: 'Europe/Berlin', runLimit: undefined },
    },
  })
  expect(config.keys?.reveal()).toBe(keys)
  expect(config.store.url.reveal()).toBe('sqlite:/var/lib/tokenkeeper/tokenkeeper.db')
})

test('DATABASE_URL and LOG_FORMAT win over what would follow from others', () => {
  const config = loadConfig({ DATABASE_URL: 'sqlite:other.db', DATA_DIR: 'd', LOG_FORMAT: 'json' })
  expect(config.store.url.reveal()).toBe('sqlite:other.db')
  expect(config.log.format).toBe('json')
})

describe('mistakes', () => {
  test('are reported all at once, with code, name and how to mend each', () => {
    const env = { NODE_ENV: 'production', WORKER_CONCURRENCY: 'many', LOG_LEVEL: 'loud', BLUESKY_CRON: 'weekly' }
    expect(problemsOf(env)).toEqual([
      'WORKER_CONCURRENCY must be a whole number from 1 to 1000',
      'LOG_LEVEL must be one of trace, debug, info, warn, error, fatal, silent',
      'BLUESKY_CRON must be a cron pattern of 5 or 6 fields that comes due at some time, as 0 0 * * 0',
      expect.stringMatching(/^TOKEN_ENCRYPTION_KEYS must be set in production: make a key with /),
    ])
    expect(() => loadConfig(env)).toThrow(
      expect.toSatisfy((error) => hasCode(error, 'CONFIG_INVALID') && error.message.split('\n').length === 5),
    )
  })

  test.each<[string, string[]]>([
    ['NODE_ENV', ['staging', 'Production']],
    ['WORKER_CONCURRENCY', ['0', '1001', '-1', '1.5', '1e2', '0x10', '99999999999999999999']],
    ['REDIS_PORT', ['0', '65536', 'tcp://10.0.0.1:6379']],
    ['REDIS_DB', ['-1', 'main']],
    ['REDIS_TLS', ['perhaps']],
    ['REDIS_TLS_CA', ['/etc/ca.pem', '-----BEGIN CERTIFICATE-----']],
    [
      'REDIS_URL',
      [
        'localhost:6379',
        'http://localhost',
        'redis://',
        'redis://h/x',
        'redis://h/0?a=b',
        'redis://h:99999',
        'redis://u:%zz@h',
      ],
    ],
    ['QUEUE_PREFIX', ['tokenkeeper', '{}', '{a b}', '{a', 'a}', '{a}{b}']],
    ['LOG_FORMAT', ['xml']],
    ['REFRESH_THRESHOLD_DAYS', ['0', '46']],
    ['BLUESKY_REFRESH_EVERY_DAYS', ['0', '61']],
    ['SWEEP_EVERY_SECONDS', ['0', '3601']],
    ['BLUESKY_CRON', ['* *', '61 * * * *', '0 0 31 2 *', 'H 2 * * *', '@weekly', '0 0 * * 0 0 0', 'a b c d e']],
    ['SCHEDULE_TIMEZONE', ['Mars/Olympus', 'UTC+25']],
    [
      'PLC_URL',
      [
        'plc.directory',
        'http://plc.directory',
        'http://127.evil.example',
        'https://u:p@plc.directory',
        'ftp://x',
        'https://x?y',
      ],
    ],
    ['TRUSTED_PROXIES', ['proxy', '10.0.0', '10.0.0.0/0', '10.0.0.0/33', '::/129', 'fe80::1%eth0', '10.0.0.1/x', '*']],
    ['ALLOWED_PRIVATE_HOSTS', ['http://10.0.0.1', '10.0.0.1/8', 'a b', 'u@h', '-', 'h:']],
    [
      'TOKEN_ENCRYPTION_KEYS',
      ['k1', 'k1:', 'k1:c2hvcnQ=', `:${key()}`, `k1:${key()},k1:${key()}`, `k1:${key()},`, `k 1:${key()}`],
    ],
    ['APP_ID', ['my-app', '1 2', '-1']],
    ['META_GRAPH_VERSION', ['26', 'v26', '26.0', 'v26.0/', 'latest']],
    ['META_GRAPH_URL', ['graph.facebook.com', 'http://graph.facebook.com', 'https://graph.facebook.com/?x']],
    ['LEASE_MS', ['99', '600001']],
  ])('%s does not take what it must not', (name, values) => {
    for (const value of values) {
      const problems = problemsOf({ [name]: value })
      expect(problems, value).toHaveLength(1)
      expect(problems[0]).toMatch(new RegExp(`^${name} must be `))
    }
  })

  test.each<[string, Env, string]>([
    ['lease', { LEASE_MS: '8000' }, 'LEASE_RENEW_MS must be less than half of LEASE_MS (8000)'],
    ['scan', { STALE_SCAN_MS: '12001' }, 'STALE_SCAN_MS must not be more than LEASE_MS (12000)'],
    ['witness', { DEAD_HOLD_MS: '300000' }, 'DEAD_WITNESS_MS must be less than DEAD_HOLD_MS (300000)'],
    [
      'audit',
      { AUDIT_RETENTION_DAYS: '59', JOURNAL_DAYS: '60' },
      'AUDIT_RETENTION_DAYS must be at least JOURNAL_DAYS (60): the audit tells which accounts of the journal were removed',
    ],
    [
      'audit, however short the journal',
      { AUDIT_RETENTION_DAYS: '29', JOURNAL_DAYS: '9' },
      'AUDIT_RETENTION_DAYS must be a whole number from 30 to 36500',
    ],
    ['user', { REDIS_USERNAME: 'u' }, 'REDIS_USERNAME needs REDIS_PASSWORD beside it'],
    ['an app without its secret', { APP_ID: '1' }, 'APP_ID needs APP_SECRET beside it'],
    ['a secret without its app', { THREADS_APP_SECRET: 's' }, 'THREADS_APP_SECRET needs THREADS_APP_ID beside it'],
    [
      'certificate',
      { REDIS_URL: 'redis://h', REDIS_TLS_CA: CERTIFICATE },
      'REDIS_TLS_CA is of no use without TLS: set REDIS_TLS=true, or a REDIS_URL that begins with rediss://',
    ],
  ])('contradictions: %s', (_, env, problem) => {
    expect(problemsOf(env)).toEqual([problem])
  })

  test('a contradiction with a value that is wrong itself is not reported beside it', () => {
    expect(problemsOf({ LEASE_MS: 'x', LEASE_RENEW_MS: '300000' })).toEqual([
      expect.stringMatching(/^LEASE_MS must be/),
    ])
  })

  test('never repeat a value', () => {
    const value = 'planted-value-6f1d'
    const names = variableList.flatMap(({ name, secret }) => (secret ? [name, `${name}_FILE`] : [name]))
    const error = (() => {
      try {
        return loadConfig(Object.fromEntries(names.map((name) => [name, value])))
      } catch (error) {
        return error
      }
    })()
    expect(error).toBeInstanceOf(ConfigError)
    expect(inspect(error, { depth: null }) + JSON.stringify(error)).not.toContain(value)
  })
})

describe('redis', () => {
  const shown = (env: Env) => {
    const { redis } = loadConfig(env)
    return redis && { ...redis, password: redis.password?.reveal() }
  }

  test.each<[string, object]>([
    [
      'redis://localhost',
      { host: 'localhost', port: 6379, db: 0, tls: false, username: undefined, password: undefined },
    ],
    ['redis://h:7000/3', { host: 'h', port: 7000, db: 3 }],
    ['redis://h/', { host: 'h', db: 0 }],
    ['rediss://u:p%40ss%2F@h:1/15', { host: 'h', port: 1, db: 15, tls: true, username: 'u', password: 'p@ss/' }],
    ['redis://:pw@[::1]:6380', { host: '::1', port: 6380, username: undefined, password: 'pw' }],
  ])('%s', (url, address) => {
    expect(shown({ REDIS_URL: url })).toMatchObject(address)
  })

  test.each<[Env, object]>([
    [{ REDIS_HOST: 'h' }, { host: 'h', port: 6379, db: 0, tls: false, username: undefined, password: undefined }],
    [{ REDIS_PORT: '7000' }, { host: '127.0.0.1', port: 7000 }],
    [{ REDIS_DB: '0' }, { host: '127.0.0.1', db: 0 }],
    [{ REDIS_TLS: 'false' }, { host: '127.0.0.1', tls: false }],
    [
      { REDIS_HOST: 'h', REDIS_TLS: 'true', REDIS_USERNAME: 'u', REDIS_PASSWORD: 'p', REDIS_DB: '2' },
      { host: 'h', tls: true, username: 'u', password: 'p', db: 2 },
    ],
    [
      { REDIS_URL: 'rediss://h', REDIS_TLS_CA: CERTIFICATE },
      { host: 'h', tls: true, ca: CERTIFICATE },
    ],
    [
      { REDIS_TLS: 'yes', REDIS_TLS_CA: CERTIFICATE },
      { host: '127.0.0.1', tls: true, ca: CERTIFICATE },
    ],
  ])('%o', (env, address) => {
    expect(shown(env)).toMatchObject(address)
  })

  test('REDIS_URL stands alone', () => {
    const parts = {
      REDIS_HOST: 'h',
      REDIS_PORT: '1',
      REDIS_USERNAME: 'u',
      REDIS_PASSWORD: 'p',
      REDIS_DB: '0',
      REDIS_TLS: 'no',
    }
    const problems = problemsOf({ REDIS_URL: 'redis://h', ...parts })
    expect(problems.map((problem) => problem.split(' ')[0])).toEqual(Object.keys(parts))
    for (const problem of problems) expect(problem).toContain('contradicts REDIS_URL')
  })
})

describe('warnings', () => {
  test.each([
    ['TOKEN_ENCRYPTION_KEY', 'TOKEN_ENCRYPTION_KEYS'],
    ['TOKEN_ENCRYPTION_KEY_FILE', 'TOKEN_ENCRYPTION_KEYS'],
    ['REDIS_PASS', 'REDIS_PASSWORD'],
    ['REDIS_PASWORD', 'REDIS_PASSWORD'],
    ['REDIS_URI', 'REDIS_URL'],
    ['LOG_LEVEL_FILE', 'LOG_LEVEL'],
    ['BLUESKY_CRONTAB', 'BLUESKY_CRON'],
    ['META_GRAPH_VERS', 'META_GRAPH_VERSION'],
    ['INSTAGRAM_APP_SECRETS', 'INSTAGRAM_APP_SECRET'],
  ])('%s: is %s meant?', (name, meant) => {
    const { warnings } = loadConfig({ [name]: 'planted-value-6f1d' })
    expect(warnings).toEqual([expect.stringMatching(new RegExp(`^${name} is not a setting .*${meant}`))])
    expect(warnings[0]).not.toContain('planted')
  })

  test('other programs have variables of their own', () => {
    const names = ['PATH', 'HOME', 'LOGNAME', 'NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS', 'XDG_DATA_DIRS', 'LANG', 'DATA']
    const known = variableList.filter(({ secret }) => !secret).map(({ name }) => name)
    const env = Object.fromEntries([...names, ...known].map((name) => [name, '']))
    expect(loadConfig(env).warnings).toEqual([])
  })
})
