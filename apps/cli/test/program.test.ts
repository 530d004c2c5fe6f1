import { readFileSync } from 'node:fs'
import { tempDir } from '@tokenkeeper/testkit'
import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { commandsOf, renderCliPage } from '../src/docs.ts'
import { JSON_OF } from '../src/json/index.ts'
import { createProgram } from '../src/program.ts'
import { runCli } from './cli.ts'

const commands = commandsOf(createProgram(() => {}))

async function run(...args: string[]) {
  await using dir = await tempDir()
  return await runCli(args, { cwd: dir.path, env: {} })
}

test('docs/cli.md is what the program says: node apps/cli/src/write-docs.ts', () => {
  const page = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8')
  expect(page).toBe(renderCliPage())
})

describe.each(commands)('%s', (name: string, command: Command) => {
  test('has examples that call it', () => {
    const { helpText } = helpOf(command)
    const examples = helpText.match(/^ {2}\$ .+$/gm) ?? []
    expect(examples.length).toBeGreaterThan(0)
    for (const example of examples) expect(example).toContain(`tokenkeeper ${name}`)
  })

  test('has a form for its JSON, if it prints any', () => {
    const printsJson = command.options.some(({ long }) => long === '--json')
    expect(JSON_OF[name] !== undefined).toBe(printsJson)
  })
})

function helpOf(command: Command): { helpText: string } {
  let helpText = ''
  command.configureOutput({ writeOut: (part) => (helpText += part), getOutHelpWidth: () => 500 })
  command.outputHelp()
  return { helpText }
}

test.each([
  [['nothing-of-the-kind']],
  [['log', '--limit', 'many']],
  [['halts', 'end', 'myspace']],
  [['start', '--unknown']],
])('%j is called wrongly: 2, and what to do', async (args) => {
  const { code, stdout, stderr } = await run(...args)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(/^error: .+\nAdd --help to see what there is\./)
})

test('a mistake in the configuration is 2 as well, also as JSON', async () => {
  await using dir = await tempDir()
  const { code, stdout, stderr } = await runCli(['log', '--json'], { cwd: dir.path, env: { REDIS_PORT: 'x' } })
  expect(code).toBe(2)
  expect(JSON.parse(stdout)).toEqual({
    error: { code: 'CONFIG_INVALID', message: expect.stringContaining('REDIS_PORT') },
  })
  expect(stderr).toContain('CONFIG_INVALID')
})

test.each([
  [['refresh', '--standalone', '--limit', '3'], 'INVALID_REQUEST'],
  [['store', 'copy', 'nonsense', 'sqlite:x.db'], 'STORE_URL_UNKNOWN'],
])('%j is called wrongly too: 2 and its code', async (args, message) => {
  const { code, stderr } = await run(...args)
  expect([code, stderr]).toEqual([2, expect.stringContaining(message)])
})

test('help comes with 0, without colours or bars where there is no terminal', async () => {
  const { code, stdout, stderr } = await run('--help')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).not.toContain('\u001b')
  expect(stdout).toContain('Commands:')
})

test('it knows its version', async () => {
  expect(await run('--version')).toEqual({ code: 0, stdout: '0.1.0\n', stderr: '' })
})

test('shells complete commands and options', async () => {
  expect((await run('completion', 'bash')).stdout).toContain('tokenkeeper')
  expect((await run('complete', '--', 'acc')).stdout).toContain('accounts')
  expect((await run('complete', '--', 'log', '--')).stdout).toContain('--failed')
})
