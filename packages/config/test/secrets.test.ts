import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { format, inspect } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'
import { type Env, loadConfig, Secret, variableList } from '../src/index.ts'

const VALUE = 'planted-value-6f1d'
const directory = mkdtempSync(join(tmpdir(), 'tokenkeeper-config-'))
afterAll(() => rmSync(directory, { recursive: true }))

/** Where a secret has a form of its own, and what it must not stand without. */
const SAMPLES: Readonly<Record<string, string>> = {
  TOKEN_ENCRYPTION_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
  REDIS_URL: `redis://u:${VALUE}@h`,
  REDIS_TLS_CA: `-----BEGIN CERTIFICATE-----\n${VALUE}\n-----END CERTIFICATE-----`,
}
const BESIDE: Readonly<Record<string, Env>> = {
  REDIS_TLS_CA: { REDIS_TLS: 'true' },
  APP_SECRET: { APP_ID: '1' },
  INSTAGRAM_APP_SECRET: { INSTAGRAM_APP_ID: '1' },
  THREADS_APP_SECRET: { THREADS_APP_ID: '1' },
}
const PLANTED = /planted-value-6f1d|BwcHBw/

/** The configuration with its secrets in the clear. */
function revealed(config: object): string {
  return JSON.stringify(config, function (this: Record<string, unknown>, key, value) {
    const raw = this[key]
    return raw instanceof Secret ? raw.reveal() : value
  })
}

let files = 0
function file(content: string): string {
  const path = join(directory, `secret-${files++}`)
  writeFileSync(path, content)
  return path
}

describe('Secret', () => {
  const secret = new Secret(VALUE)

  test('reveals itself when asked', () => {
    expect(secret.reveal()).toBe(VALUE)
  })

  test.each<[string, string]>([
    ['a template', `${secret}`],
    ['concatenation', `a ${String(secret)}`],
    ['JSON', JSON.stringify({ secret })],
    ['inspection', inspect({ secret }, { depth: null, showHidden: true })],
    ['console', format('%s %o %O %j', secret, secret, secret, secret)],
    ['a copy', JSON.stringify({ ...secret })],
  ])('does not show in %s', (_, text) => {
    expect(text).not.toContain(VALUE)
  })
})

test('a printed configuration holds no secret', () => {
  const keys = `k1:${Buffer.alloc(32, 7).toString('base64')}`
  const config = loadConfig({
    REDIS_URL: `redis://user:${VALUE}@h`,
    DATABASE_URL: `mongodb://u:${VALUE}@h/db`,
    TOKEN_ENCRYPTION_KEYS: keys,
    APP_ID: '1',
    APP_SECRET: VALUE,
  })
  const printed = inspect(config, { depth: null, showHidden: true }) + JSON.stringify(config)
  expect(printed).not.toContain(VALUE)
  expect(printed).not.toContain(keys.slice(3))
  expect(printed).toContain('[secret]')
})

describe('secrets from files', () => {
  const problem = (env: Env) => {
    try {
      return loadConfig(env) && null
    } catch (error) {
      return (error as Error).message.split('\n').slice(1).join('\n').trim()
    }
  }

  test.each(['TOKEN_ENCRYPTION_KEYS', 'REDIS_PASSWORD', 'REDIS_URL', 'DATABASE_URL'])('%s_FILE, trimmed', (name) => {
    const key = `k1:${Buffer.alloc(32, 7).toString('base64')}`
    const value = name === 'TOKEN_ENCRYPTION_KEYS' ? key : name === 'REDIS_PASSWORD' ? VALUE : `redis://u:${VALUE}@h`
    const config = loadConfig({ [`${name}_FILE`]: file(`\n  ${value}\n\n`) })
    const revealed = [config.keys, config.redis?.password, config.store.url].map((secret) => secret?.reveal())
    expect(revealed).toContain(name === 'REDIS_URL' ? VALUE : value)
  })

  test.each(variableList.filter(({ secret }) => secret).map(({ name }) => name))('every secret: %s', (name) => {
    const value = SAMPLES[name] ?? VALUE.repeat(3)
    const beside = BESIDE[name] ?? {}
    const given = revealed(loadConfig({ ...beside, [name]: value }))
    expect(given).toContain(PLANTED.exec(value)![0])
    expect(revealed(loadConfig({ ...beside, [`${name}_FILE`]: file(`${value}\n`) }))).toBe(given)
  })

  test('both set is a mistake', () => {
    expect(problem({ REDIS_PASSWORD: 'a', REDIS_PASSWORD_FILE: file('b') })).toBe(
      'REDIS_PASSWORD_FILE and REDIS_PASSWORD are both set: remove one of them',
    )
  })

  test('a file that is missing, a directory or empty is a mistake', () => {
    expect(problem({ REDIS_PASSWORD_FILE: join(directory, 'missing') })).toBe(
      'REDIS_PASSWORD_FILE names a file that cannot be read (ENOENT): check path and permissions',
    )
    expect(problem({ REDIS_PASSWORD_FILE: directory })).toMatch(/^REDIS_PASSWORD_FILE .*\(EISDIR\)/)
    expect(problem({ REDIS_PASSWORD_FILE: file(' \n') })).toMatch(/^REDIS_PASSWORD_FILE names an empty file/)
  })

  test('a bad file is one mistake: the variable is not called missing beside it', () => {
    const env = { NODE_ENV: 'production', TOKEN_ENCRYPTION_KEYS_FILE: join(directory, 'missing') }
    expect(problem(env)?.split('\n')).toHaveLength(1)
    expect(problem({ REDIS_USERNAME: 'u', REDIS_PASSWORD_FILE: file('') })?.split('\n')).toHaveLength(1)
  })

  test('an empty name of a file counts as not set', () => {
    expect(loadConfig({ REDIS_PASSWORD_FILE: '' }).redis).toBeUndefined()
  })
})
