import { expect, test } from 'vitest'
import { measure, PART_NAMES } from '../src/benchmark.ts'
import { TINY } from '../src/sizes.ts'
import { renderReport } from '../src/table.ts'

test('the parts, in the order of the report', () => {
  expect(PART_NAMES).toEqual(['overhead', 'io', 'baseline', 'sweep', 'drain', 'pickup', 'sealing', 'startup'])
})

test('what is measured is in the report under its name, and nothing else; each part is told of', async () => {
  const said: string[] = []
  const report = await measure(['sealing'], TINY, (line) => said.push(line))
  const side = { perSecond: expect.any(Number), floorPerSecond: expect.any(Number), ratio: expect.any(Number) }
  expect(report).toEqual({ sealing: { bytes: expect.any(Number), seal: side, open: side } })
  expect(said).toEqual([expect.stringMatching(/^sealing: \d+ s$/)])
})

test('for people: a line for each figure, under the path of its keys; what was left out says so', () => {
  const report = { overhead: { sqlite: { ratio: 0.7, perSecond: 6_300 }, mongo: null } }
  expect(renderReport(report).split('\n')).toEqual([
    'overhead.sqlite.ratio      0.7',
    'overhead.sqlite.perSecond  6300',
    'overhead.mongo             left out',
  ])
})
