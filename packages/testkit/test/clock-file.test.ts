import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { HOUR } from '@tokenkeeper/core'
import { expect, test } from 'vitest'
import { createClockFile, openClockFile, spawnNode, tempDir } from '../src/index.ts'

const READER = fileURLToPath(new URL('fixtures/clock-reader.ts', import.meta.url))

test('starts at the real time and moves by what it is told', async () => {
  await using dir = await tempDir()
  using file = createClockFile(join(dir.path, 'clock'))
  const reader = openClockFile(file.path)
  expect(Math.abs(reader.now() - Date.now())).toBeLessThan(1_000)
  file.advance(2 * HOUR)
  file.advance(90 * 24 * HOUR)
  file.advance(-HOUR)
  expect(file.offset()).toBe(HOUR + 90 * 24 * HOUR)
  for (const clock of [reader, file.clock])
    expect(Math.abs(clock.now() - Date.now() - file.offset())).toBeLessThan(1_000)
})

test('monotonic time and sleep stay real', async () => {
  await using dir = await tempDir()
  using file = createClockFile(join(dir.path, 'clock'))
  const before = file.clock.monotonic()
  file.advance(HOUR)
  await file.clock.sleep(20)
  const passed = file.clock.monotonic() - before
  expect(passed).toBeGreaterThan(15)
  expect(passed).toBeLessThan(HOUR)
})

test('another process sees each move, and no torn value', async () => {
  await using dir = await tempDir()
  using file = createClockFile(join(dir.path, 'clock'))
  // Two integers whose bytes differ: half of one and half of the other would be neither.
  const [low, high] = [1_234_567_890_123_457, 6_543_210_987_654_321]
  file.advance(low)
  await using reader = spawnNode(READER, { args: [file.path, `${low}`, `${high}`] })
  await reader.waitForLine(/^reading$/)
  while (!reader.lines.some((line) => line.startsWith('read '))) {
    for (let times = 0; times < 500; times += 1) {
      file.advance(high - file.offset())
      file.advance(low - file.offset())
    }
    await new Promise(setImmediate)
  }
  expect(reader.lines.at(-1)).toMatch(/^read \d+ low, \d+ high, 0 other$/)
  expect(await reader.exited).toEqual({ code: 0, signal: null })
})

test('a file that is no clock is an error', async () => {
  await using dir = await tempDir()
  const path = join(dir.path, 'short')
  writeFileSync(path, 'abc')
  expect(() => openClockFile(path).now()).toThrow('is not a clock file')
  expect(() => openClockFile(join(dir.path, 'none'))).toThrow('ENOENT')
})
