import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/** What the command prints, and its exit code. */
async function simulate(...args: string[]): Promise<{ lines: string[]; code: number }> {
  const { stdout, code } = await promisify(execFile)(process.execPath, [MAIN, ...args], { maxBuffer: 2 ** 26 }).then(
    (done) => ({ ...done, code: 0 }),
    (failed: { stdout: string; code: number }) => failed,
  )
  return { lines: stdout.trimEnd().split('\n'), code }
}

test('prints its seed, and ends with a line for programs', async () => {
  const { lines, code } = await simulate('--runs', '60', '--seed', '7', '--json')
  expect(code).toBe(0)
  expect(lines[0]).toBe('seed 7')
  expect(JSON.parse(lines.at(-1)!)).toEqual({ runs: 60, violations: 0, seed: 7 })
})

test('a seed of its own is drawn and printed', async () => {
  const [one, other] = [await simulate('--runs', '1'), await simulate('--runs', '1')]
  expect(one.lines[0]).toMatch(/^seed \d+$/)
  expect(one.lines[0]).not.toBe(other.lines[0])
})

test('a failing schedule prints its seed and its trace, and replays exactly', async () => {
  const broken = ['--without', 'begin-believed']
  const { lines, code } = await simulate('--runs', '50', '--seed', '7', '--json', ...broken)
  expect(code).toBe(1)
  const [, seed] = lines.map((line) => /^seed (\d+) breaks I2: /.exec(line)).find((match) => match !== null) ?? []
  const { violations } = JSON.parse(lines.at(-1)!)
  expect(violations).toBeGreaterThan(0)
  const first = await simulate('--replay', seed!, ...broken)
  expect(first.code).toBe(1)
  expect(lines.join('\n')).toContain(first.lines.join('\n'))
  expect(await simulate('--replay', seed!, ...broken)).toEqual(first)
  expect((await simulate('--replay', seed!)).code).toBe(0)
})

test.each([
  ['--runs', 'many'],
  ['--without', 'sleep'],
])('refuses %s %s', async (option, value) => {
  expect((await simulate(option, value)).code).toBe(1)
})
