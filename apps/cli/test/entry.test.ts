import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { tempDir } from '@tokenkeeper/testkit'
import { expect, test } from 'vitest'
import { ENTRY, runToEnd } from './deployed.ts'

const SYSTEM_PATH = '/usr/bin:/bin'
/** Prints who it is and what it was given. */
const SPEAKING_NODE = '#!/bin/sh\nprintf "%s\\n" "$0" "$@"\n'

/** A checkout with this entry, and what else is given: files by their paths. */
async function makeCheckout(files: Readonly<Record<string, string>>) {
  const dir = await tempDir()
  const root = join(dir.path, 'a checkout')
  mkdirSync(join(root, 'bin'), { recursive: true })
  copyFileSync(ENTRY, join(root, 'bin/tokenkeeper'))
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content, { mode: 0o755 })
  }
  return {
    root,
    dir: dir.path,
    run: (args: readonly string[], env: Readonly<Record<string, string>> = { PATH: SYSTEM_PATH }) =>
      runToEnd({ command: [join(root, 'bin/tokenkeeper'), ...args], env, cwd: dir.path }),
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  }
}

test('runs the pinned Node through links, with an empty environment, whatever node is on the PATH', async () => {
  await using dir = await tempDir()
  symlinkSync(ENTRY, join(dir.path, 'first'))
  symlinkSync('first', join(dir.path, 'tokenkeeper'))
  writeFileSync(join(dir.path, 'node'), '#!/bin/sh\nexit 99\n', { mode: 0o755 })
  for (const env of [{}, { PATH: `${dir.path}:${SYSTEM_PATH}` }] as Record<string, string>[]) {
    const ran = await runToEnd({ command: [join(dir.path, 'tokenkeeper'), 'halts', '--help'], env, cwd: dir.path })
    expect(ran).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Usage: tokenkeeper halts/), stderr: '' })
  }
})

test('arguments arrive as they are, also in a checkout whose path has a blank', async () => {
  await using checkout = await makeCheckout({ 'node_modules/.bin/node': SPEAKING_NODE })
  const { root } = checkout
  const args = ['log', '--limit', '3', '', 'two words', '*']
  expect(await checkout.run(args)).toEqual({
    code: 0,
    stdout: `${[join(root, 'node_modules/.bin/node'), join(root, 'apps/cli/src/main.ts'), ...args].join('\n')}\n`,
    stderr: '',
  })
})

test('before an installation it says what to do', async () => {
  await using checkout = await makeCheckout({})
  const { code, stderr } = await checkout.run(['log'])
  expect(stderr).toBe(
    `tokenkeeper: nothing is installed in ${checkout.root} yet. Run there: npx --yes pnpm@12.21.0 install\n`,
  )
  expect(code).toBe(1)
})

test('where no Node is pinned for the platform that of the machine serves, if it is new enough', async () => {
  const main = 'console.log(process.argv.slice(2).join())'
  const installed = { 'node_modules/.pnpm/lock.yaml': '', 'apps/cli/src/main.ts': main }
  await using modern = await makeCheckout({ ...installed, 'check-node.mjs': '' })
  const PATH = `${dirname(process.execPath)}:${SYSTEM_PATH}`
  expect(await modern.run(['log', '--failed'], { PATH })).toEqual({ code: 0, stdout: 'log,--failed\n', stderr: '' })

  await using old = await makeCheckout({ ...installed, 'check-node.mjs': "console.error('too old'); process.exit(1)" })
  expect(await old.run(['log'], { PATH })).toEqual({ code: 1, stdout: '', stderr: 'too old\n' })

  mkdirSync(join(old.dir, 'path'))
  symlinkSync('/bin/readlink', join(old.dir, 'path/readlink'))
  const without = await old.run(['log'], { PATH: join(old.dir, 'path') })
  expect(without).toMatchObject({ code: 1, stderr: expect.stringContaining('Install Node 24.11 or newer') })
})
