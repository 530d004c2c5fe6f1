import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { MUTATIONS } from '../src/mutations/mutations.ts'

test('docs/simulation.md lists each rule that can be switched off', () => {
  const page = readFileSync(new URL('../../../docs/simulation.md', import.meta.url), 'utf8')
  const rows = page.split('\n').filter((line) => /^\| `[a-z]/.test(line))
  const expected = MUTATIONS.map(({ name, rule, breaks }) => `| \`${name}\` | ${rule} | ${breaks.join(', ')} |`)
  expect(rows).toEqual(expected)
})
