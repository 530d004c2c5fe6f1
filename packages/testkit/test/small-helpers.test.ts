import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { tempDir, until } from '../src/index.ts'

test('a temp directory is removed with its content', async () => {
  let path: string
  {
    await using dir = await tempDir()
    path = dir.path
    expect(path.startsWith(tmpdir())).toBe(true)
    await writeFile(join(path, 'file'), 'x')
  }
  expect(existsSync(path)).toBe(false)
})

describe('until', () => {
  test('returns the first truthy value', async () => {
    let calls = 0
    expect(await until(() => (++calls === 3 ? 'third' : undefined), { what: 'three', everyMs: 1 })).toBe('third')
    expect(await until(async () => 'now', { what: 'now' })).toBe('now')
  })

  test('names what it waited for, and the last error', async () => {
    const waiting = until(() => Promise.reject(new Error('refused')), { what: 'the worker', timeoutMs: 30, everyMs: 5 })
    await expect(waiting).rejects.toMatchObject({
      message: 'Waited 30 ms in vain for the worker',
      cause: new Error('refused'),
    })
    await expect(until(() => false, { what: 'nothing', timeoutMs: 0 })).rejects.toThrow('in vain for nothing')
  })
})
