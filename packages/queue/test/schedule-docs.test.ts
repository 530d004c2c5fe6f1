import { readFileSync } from 'node:fs'
import { buildSchedule } from '@tokenkeeper/store/conformance'
import { type RedisServer, startRedis } from '@tokenkeeper/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { reconcileSchedules } from '../src/schedules/reconcile.ts'
import { dueOccurrence, nextOccurrence } from '../src/schedules/times.ts'
import { startHarness } from './harness.ts'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis[Symbol.asyncDispose]())

const page = readFileSync(new URL('../../../docs/schedules.md', import.meta.url), 'utf8')
const utc = (text: string) => Date.parse(`${text.replace(' ', 'T')}:00Z`)
const EXAMPLES = [...page.matchAll(/^\| `([^`]+)` \| (\S+) \| ([^|]+) \| ([\d :-]+) \| ([^|]+) \|$/gm)].map(
  ([, pattern = '', tz = '', when = '', from = '', comes = '']) => ({
    pattern,
    tz,
    when,
    from,
    comes: comes.split(', '),
  }),
)

test('the page has the examples that people ask for', () => {
  expect(EXAMPLES.map(({ pattern }) => pattern)).toEqual(
    expect.arrayContaining(['0 */6 * * *', '0 2,14 * * *', '0 0 * * 0']),
  )
  expect(EXAMPLES.length).toBeGreaterThanOrEqual(8)
  expect(EXAMPLES.every(({ comes }) => comes.length === 3)).toBe(true)
})

test.each(EXAMPLES)('$pattern in $tz, $when', ({ pattern, tz, from, comes }) => {
  let schedule = buildSchedule({ pattern, tz, changedAt: utc(from) })
  for (const text of comes) {
    const time = utc(text)
    expect(nextOccurrence(schedule, schedule.lastOccurrence ?? schedule.changedAt)).toBe(time)
    expect(dueOccurrence(schedule, time - 1)).toBeNull()
    expect(dueOccurrence(schedule, time)).toBe(time)
    schedule = { ...schedule, lastOccurrence: time }
  }
})

test('each of them can be registered, and starts its run', async () => {
  await using harness = await startHarness({ port: redis.port })
  const { deps, store, clock } = harness
  const all = EXAMPLES.map(({ pattern, tz }, i) =>
    buildSchedule({ id: `example-${i}`, pattern, tz, platforms: [], startedRuns: 0, changedAt: clock.now() }),
  )
  for (const schedule of all) await store.schedules.insert(schedule)
  await reconcileSchedules(deps)
  const registered = await deps.queues.schedule.getJobSchedulers()
  for (const { id, pattern, tz } of all)
    expect(registered).toContainEqual(expect.objectContaining({ key: id, pattern, tz }))
  clock.advance(8 * 86_400_000)
  await reconcileSchedules(deps)
  for (const { id } of all) expect(await store.schedules.get(id)).toMatchObject({ startedRuns: 1 })
})
