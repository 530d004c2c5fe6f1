import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { variableList } from '@tokenkeeper/config'
import { ERRORS } from '@tokenkeeper/core'
import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { JSON_OF } from '../src/json/index.ts'
import { createProgram } from '../src/program.ts'
import { ROOT } from './deployed.ts'

const PAGES = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]
const program = createProgram(() => {})

/** What stands in code on a page: blocks, line by line, and spans. */
function codeOf(page: string): string[] {
  const text = readFileSync(join(ROOT, page), 'utf8')
  const blocks = [...text.matchAll(/^```\w*\n([\s\S]*?)^```$|(?:^ {4}.*\n)+/gm)].map(
    ([block, fenced]) => fenced ?? block,
  )
  const rest = text.replaceAll(/^```[\s\S]*?^```$/gm, '')
  return [
    ...blocks.flatMap((block) => block.split('\n')),
    ...[...rest.matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!),
  ]
}

/** Each call of the command, from its first word to the end of the call. */
function callsIn(code: string): string[] {
  const calls = code.matchAll(/(?:^\s*|\$ |pnpm |bin\/|-- |&& |sudo -u tokenkeeper )tokenkeeper ([a-z-][^|;&#>]*)/g)
  return [...calls].map(([, call]) => call!.trim())
}

/** What of a call does not exist; null if all of it does. Words in capitals stand for others. */
function unknownIn(call: string): string | null {
  let command: Command = program
  for (const word of call.split(/[,.:]?\s+/)) {
    if (/^[A-Z…]/.test(word)) continue
    if (word.startsWith('--')) {
      const known = [...command.options.map(({ long }) => long), '--help']
      if (!known.includes(word.split('=')[0])) return `${call}: ${word}`
    } else if (command.commands.length > 0) {
      const next = command.commands.find((one) => one.name() === word)
      if (!next) return `${call}: ${word}`
      command = next
    }
  }
  return null
}

describe('what the pages call exists', () => {
  test.each(PAGES)('%s', (page) => {
    const calls = codeOf(page).flatMap(callsIn)
    expect(calls.flatMap((call) => unknownIn(call) ?? [])).toEqual([])
  })

  test('calls are found, and what does not exist is seen', () => {
    const calls = PAGES.flatMap((page) => codeOf(page).flatMap(callsIn))
    expect(calls.length).toBeGreaterThan(60)
    expect(callsIn('$ pnpm tokenkeeper log --failed | head')).toEqual(['log --failed'])
    expect(callsIn('ACL SETUSER tokenkeeper on >PASSWORD')).toEqual([])
    expect(unknownIn('log --failed --limit 3')).toBeNull()
    expect(unknownIn('accounts show ID')).toBeNull()
    expect(unknownIn('log --faild')).toBe('log --faild: --faild')
    expect(unknownIn('acounts list')).toBe('acounts list: acounts')
    expect(unknownIn('accounts lst')).toBe('accounts lst: lst')
  })
})

describe('the names in capitals that the pages use exist', () => {
  const NAME = /\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g
  const settings = variableList.flatMap(({ name, secret }) => (secret ? [name, `${name}_FILE`] : [name]))
  /** Read by others than the configuration: where that stands. */
  const ELSEWHERE = {
    'ecosystem.config.js': /^TOKENKEEPER_/,
    'docker-compose.yml': /^SECRETS_DIR$/,
    'turbo.json': /^(MONGODB_URI|REDIS_SERVER|TESTS_MUST_NOT_SKIP)$/,
    'package.json': /^PM2_HOME$/,
    'apps/worker/proof/meta-quarter.test.ts': /^SIMULATED_DAYS$/,
    'packages/core/src/kill-points.ts': /^KILL_POINTS$/,
  }
  /** Node's and terminals' own. */
  const OF_OTHERS = ['NODE_OPTIONS', 'NO_COLOR']

  /** What the commands print for programs. */
  const printed = JSON.stringify(Object.values(JSON_OF).map((schema) => z.toJSONSchema(schema)))

  const exists = (name: string) =>
    settings.includes(name) ||
    printed.includes(`"${name}"`) ||
    name in ERRORS ||
    OF_OTHERS.includes(name) ||
    Object.entries(ELSEWHERE).some(
      ([file, names]) => names.test(name) && RegExp(`\\b${name}\\b`).test(readFileSync(join(ROOT, file), 'utf8')),
    )

  test.each(PAGES)('%s', (page) => {
    const names = readFileSync(join(ROOT, page), 'utf8').match(NAME) ?? []
    expect(names.filter((name) => !exists(name))).toEqual([])
  })

  test('one that does not exist is seen', () => {
    expect(exists('LOG_RETENTION_DAYS')).toBe(true)
    expect(exists('APP_SECRET_FILE')).toBe(true)
    expect(exists('LOG_RETENTION_DAY')).toBe(false)
    expect(exists('TOKENKEEPER_WORKER')).toBe(false)
  })
})

test.each(PAGES)('the pages and files that %s links to are there', (page) => {
  const text = readFileSync(join(ROOT, page), 'utf8')
  const links = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, path]) => path!)
  const gone = links.filter((path) => !existsSync(join(ROOT, dirname(page), path)))
  expect(gone).toEqual([])
})
