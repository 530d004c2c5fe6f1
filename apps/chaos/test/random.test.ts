import { expect, test } from 'vitest'
import { createRandom, type Random } from '../src/random.ts'

const draw = (random: Random) => Array.from({ length: 50 }, () => random.int(0, 1_000))

test('a seed repeats its choices, another has others', () => {
  expect(draw(createRandom(7))).toEqual(draw(createRandom(7)))
  expect(draw(createRandom(7))).not.toEqual(draw(createRandom(8)))
})

test('how many chances a fork uses does not matter to what comes after it', () => {
  const [one, two] = [createRandom(7), createRandom(7)]
  draw(one.fork())
  two.fork()
  expect(draw(one)).toEqual(draw(two))
})

test('int covers both ends and no more, shuffle and sample keep each item once', () => {
  const random = createRandom(1)
  const drawn = new Set(Array.from({ length: 200 }, () => random.int(3, 6)))
  expect([...drawn].toSorted()).toEqual([3, 4, 5, 6])
  const items = [1, 2, 3, 4, 5]
  expect(random.shuffle(items).toSorted()).toEqual(items)
  expect(new Set(random.sample(items, 3)).size).toBe(3)
  expect(random.sample(items, 9)).toHaveLength(5)
})
