import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { CONTROL_FUNCTIONS } from '../src/control/functions.ts'

test('docs/graph-emulator.md names every control function, and no other', async () => {
  const page = await readFile(new URL('../../../docs/graph-emulator.md', import.meta.url), 'utf8')
  const table = page.slice(page.indexOf('| apps |'), page.indexOf('`requests` tells'))
  const named = [...table.matchAll(/`(\w+)`/g)].map(([, name]) => name)
  expect(named.sort()).toEqual(Object.keys(CONTROL_FUNCTIONS).sort())
})
