import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { ConfigError, readEnv } from '../src/index.ts'

const root = mkdtempSync(join(tmpdir(), 'tokenkeeper-env-'))
afterAll(() => rmSync(root, { recursive: true }))

/** A directory with this `.env` file. */
function directoryWith(envFile: string | null): string {
  const directory = mkdtempSync(join(root, 'd-'))
  if (envFile !== null) writeFileSync(join(directory, '.env'), envFile)
  return directory
}

/** What a process with these variables reads when it starts there. */
function read(directory: string, env: Record<string, string>) {
  const script = `
    import { readEnv } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)}
    console.log(JSON.stringify(readEnv()))`
  const options = { cwd: directory, env, encoding: 'utf8' } as const
  return JSON.parse(spawnSync(process.execPath, ['--input-type=module', '--eval', script], options).stdout)
}

test('the real environment wins over the file, also with an empty value', () => {
  const directory = directoryWith('A=file\nB=file\nC="with # and blanks "\n# D=comment\nexport E=exported\n')
  const { variables, envFile } = read(directory, { A: 'real', B: '' })
  expect(variables).toMatchObject({ A: 'real', B: '', C: 'with # and blanks ', E: 'exported' })
  expect(variables).not.toHaveProperty('D')
  expect(envFile).toMatch(/\.env$/)
})

test('without a file there is the environment alone', () => {
  const { variables, envFile } = read(directoryWith(null), { A: 'real' })
  expect(variables.A).toBe('real')
  expect(envFile).toBeNull()
})

test('reading leaves the environment of the process as it is', () => {
  const before = { ...process.env }
  const { variables } = readEnv(directoryWith('TOKENKEEPER_TEST_VARIABLE=file'))
  expect(variables.TOKENKEEPER_TEST_VARIABLE).toBe('file')
  expect({ ...process.env }).toEqual(before)
})

test('a file that cannot be read is a mistake, not an absence', () => {
  const directory = directoryWith(null)
  mkdirSync(join(directory, '.env'))
  expect(() => readEnv(directory)).toThrow(ConfigError)
  expect(() => readEnv(directory)).toThrow('.env is there but cannot be read (EISDIR)')
})
