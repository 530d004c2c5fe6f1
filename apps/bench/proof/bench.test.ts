import { fileURLToPath } from 'node:url'
import { mongoForTests, spawnNode } from '@tokenkeeper/testkit'
import { expect, test } from 'vitest'
import { TINY } from '../src/sizes.ts'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const mongo = await mongoForTests('the benchmark on MongoDB')
const { MONGODB_URI, REDIS_SERVER } = process.env
const env = { ...(MONGODB_URI && { MONGODB_URI }), ...(REDIS_SERVER && { REDIS_SERVER }) }

const number = expect.any(Number)
const rates = { ratio: number, perSecond: number, floorPerSecond: number }
const io = { ...rates, idealShare: number, floorIdealShare: number }
const loop = { speedup: number, perSecond: number, loopPerSecond: number }
const start = { readyMs: number, idleMb: number }

function swept(store: 'sqlite' | 'mongo', rowsExamined: unknown) {
  const { small, large } = TINY.sweep[store]
  const side = (accounts: number) => ({ accounts, rowsExamined, ms: number, peakMb: number })
  return { ratio: number, rowsDue: TINY.due, small: side(small), large: side(large) }
}

test('in tiny sizes: every part measures, and the last line holds all keys', { timeout: 600_000 }, async () => {
  await using bench = spawnNode(MAIN, { args: ['--tiny', '--json'], env })
  expect(await bench.exited, bench.lines.join('\n')).toEqual({ code: 0, signal: null })
  expect(bench.stdoutLines).toHaveLength(1)
  expect(JSON.parse(bench.stdoutLines[0]!)).toEqual({
    overhead: { sqlite: rates, mongo: mongo && rates },
    io: { c100: io, c300: io },
    baseline: { ...loop, atOnce: loop },
    sweep: {
      // As many as are due, however many there are.
      sqlite: swept('sqlite', TINY.due),
      // A DocumentDB does not count; its plan is checked all the same.
      mongo: mongo && swept('mongo', expect.toBeOneOf([TINY.due, null])),
    },
    drain: {
      accounts: TINY.drainAccounts,
      seconds: number,
      perSecond: number,
      queueDepthPeak: number,
      redisPeakMb: number,
      redisIdleMb: number,
      workerPeakMb: number,
      workerIdleMb: number,
      workerGrowth: number,
    },
    pickup: { ratio: number, p50Ms: number, p99Ms: number, idleP50Ms: number, idleP99Ms: number },
    sealing: { bytes: number, seal: rates, open: rates },
    startup: { worker: start, scheduler: start, api: start, bareNode: start },
  })
})

test('one part alone, and a table for people before the JSON', async () => {
  await using bench = spawnNode(MAIN, { args: ['--only', 'sealing', '--tiny'], env })
  expect((await bench.exited).code, bench.lines.join('\n')).toBe(0)
  const [first = '', ...rest] = bench.stdoutLines
  expect(first).toMatch(/^sealing\.bytes +\d+$/)
  expect(Object.keys(JSON.parse(rest.at(-1)!))).toEqual(['sealing'])
})

test('a part that there is not ends with an error that names those that there are', async () => {
  await using bench = spawnNode(MAIN, { args: ['--only', 'speed'], env })
  expect((await bench.exited).code).toBe(1)
  expect(bench.lines.join('\n')).toMatch(/no part "speed": overhead, io, baseline/)
})
