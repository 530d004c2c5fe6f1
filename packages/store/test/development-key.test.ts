import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadOrCreateDevelopmentKey, parseKeyRing } from '../src/index.ts'
import { runChild } from './support/processes.ts'

async function temporaryDirectory() {
  const path = await mkdtemp(join(tmpdir(), 'tokenkeeper-key-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) }
}

describe('development key', () => {
  test('is made once, for this user alone, and used from then on', async () => {
    await using directory = await temporaryDirectory()
    const dataDir = join(directory.path, 'data')
    const text = loadOrCreateDevelopmentKey(dataDir)
    expect(parseKeyRing(text).currentKeyId).toMatch(/^dev-[0-9a-f]{8}$/)
    expect(loadOrCreateDevelopmentKey(dataDir)).toBe(text)
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700)
    expect((await stat(join(dataDir, 'keys'))).mode & 0o777).toBe(0o600)
    expect(await readdir(dataDir)).toEqual(['keys'])
  })

  test('processes that start at once agree on it', async () => {
    await using directory = await temporaryDirectory()
    const texts = await Promise.all(Array.from({ length: 6 }, () => runChild('load-key.ts', directory.path)))
    expect(new Set(texts).size).toBe(1)
    expect(texts[0]).toBe(loadOrCreateDevelopmentKey(directory.path))
    expect(await readdir(directory.path)).toEqual(['keys'])
  })

  test('a key made after the file was lost is another one', async () => {
    await using directory = await temporaryDirectory()
    const first = parseKeyRing(loadOrCreateDevelopmentKey(directory.path))
    await rm(join(directory.path, 'keys'))
    expect(parseKeyRing(loadOrCreateDevelopmentKey(directory.path)).currentKeyId).not.toBe(first.currentKeyId)
  })

  test('a directory that cannot be made is a coded error', async () => {
    await using directory = await temporaryDirectory()
    const file = join(directory.path, 'file')
    await writeFile(file, '')
    expect(() => loadOrCreateDevelopmentKey(join(file, 'data'))).toThrow(
      expect.objectContaining({ code: 'KEY_RING_INVALID' }),
    )
  })
})
