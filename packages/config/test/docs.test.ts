import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { describe, expect, test } from 'vitest'
import { renderConfigurationPage, renderEnvExample } from '../src/docs.ts'
import { loadConfig, variableList } from '../src/index.ts'

const checkedIn = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')

describe('the files that are written from the table of variables are up to date', () => {
  const mend = 'run: node packages/config/src/write-docs.ts'

  test('docs/configuration.md', () => {
    expect(checkedIn('docs/configuration.md'), mend).toBe(renderConfigurationPage())
  })

  test('.env.example', () => {
    expect(checkedIn('.env.example'), mend).toBe(renderEnvExample())
  })
})

test('every variable is documented', () => {
  for (const { name } of variableList) {
    expect(renderConfigurationPage()).toContain(`| \`${name}\``)
    expect(renderEnvExample()).toContain(`\n#${name}=`)
  }
})

test('.env.example sets nothing, and its examples are the defaults', () => {
  expect(parseEnv(renderEnvExample())).toEqual({})
  const examples = parseEnv(renderEnvExample().replaceAll(/^#(?=[A-Z_]+=)/gm, ''))
  expect(Object.keys(examples).toSorted()).toEqual(variableList.map(({ name }) => name).toSorted())
  expect(JSON.stringify(loadConfig(examples))).toBe(JSON.stringify(loadConfig({})))
})
