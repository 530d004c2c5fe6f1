import type { Hook } from '@tokenkeeper/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type BatchOperation, createBatcher } from '../src/batcher.ts'

interface Operation extends BatchOperation {
  readonly value: number
}

const operation = (value: number, key: string | null = null, name: string | null = null) => ({ value, key, name })

/** A batcher whose execution answers each operation with its value and notes the batches. */
function recording({ maxSize = 100, hook }: { maxSize?: number; hook?: Hook } = {}) {
  const batches: Operation[][] = []
  const batcher = createBatcher<Operation>({
    async execute(operations) {
      batches.push([...operations])
      return operations.map(({ value }) => value)
    },
    maxSize,
    ...(hook && { hook }),
  })
  return { batcher, batches, sizes: () => batches.map((batch) => batch.length) }
}

describe('batches', () => {
  test('what is submitted together shares one, and each gets its own result', async () => {
    const { batcher, sizes } = recording()
    expect(await Promise.all([5, 6, 7].map((value) => batcher.submit(operation(value))))).toEqual([5, 6, 7])
    expect(sizes()).toEqual([3])
  })

  test('what comes while a batch runs forms the next one', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const sizes: number[] = []
    const started = Promise.withResolvers<void>()
    const batcher = createBatcher<Operation>({
      async execute(operations) {
        sizes.push(operations.length)
        started.resolve()
        await released
        return operations.map(() => 1)
      },
      maxSize: 100,
    })
    const first = batcher.submit(operation(1))
    await started.promise
    const later = [2, 3, 4].map((value) => batcher.submit(operation(value)))
    release()
    await Promise.all([first, ...later])
    expect(sizes).toEqual([1, 3])
  })

  test('are bounded in size', async () => {
    const { batcher, sizes } = recording({ maxSize: 4 })
    await Promise.all(Array.from({ length: 10 }, (_, i) => batcher.submit(operation(i))))
    expect(sizes()).toEqual([4, 4, 2])
  })

  test('never hold two with one key, and keep their order', async () => {
    const keys = fc.array(fc.option(fc.constantFrom('a', 'b', 'c'), { nil: null }), { maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(keys, fc.integer({ min: 1, max: 5 }), async (keys, maxSize) => {
        const { batcher, batches } = recording({ maxSize })
        const results = await Promise.all(keys.map((key, i) => batcher.submit(operation(i, key))))
        expect(results).toEqual(keys.map((_, i) => i))
        for (const batch of batches) {
          const held = batch.flatMap(({ key }) => key ?? [])
          expect(new Set(held).size).toBe(held.length)
        }
        for (const key of ['a', 'b', 'c']) {
          const order = batches.flat().filter((one) => one.key === key)
          expect(order.map(({ value }) => value)).toEqual(order.map(({ value }) => value).toSorted((a, b) => a - b))
        }
      }),
    )
  })

  test('that fail reject all that they hold, and the next one runs', async () => {
    let fail = true
    const batcher = createBatcher<Operation>({
      async execute(operations) {
        if (fail) throw new Error('no disk')
        return operations.map(() => 1)
      },
      maxSize: 2,
    })
    const results = await Promise.allSettled([1, 2].map((value) => batcher.submit(operation(value))))
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    fail = false
    expect(await batcher.submit(operation(3))).toBe(1)
  })

  test('that fail by one operation are halved until it is alone: the others go through, in their order', async () => {
    const positions = fc.uniqueArray(fc.nat(19), { maxLength: 3 })
    await fc.assert(
      fc.asyncProperty(positions, async (bad) => {
        const batches: number[][] = []
        const batcher = createBatcher<Operation>({
          async execute(operations) {
            const values = operations.map(({ value }) => value)
            if (values.some((value) => bad.includes(value))) throw new Error('not this one')
            batches.push(values)
            return values
          },
          maxSize: 100,
          isOfOne: () => true,
        })
        const results = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => batcher.submit(operation(i))))
        for (const [i, { status }] of results.entries()) expect(status === 'rejected').toBe(bad.includes(i))
        expect(batches.flat()).toEqual(results.flatMap((_, i) => (bad.includes(i) ? [] : [i])))
      }),
    )
  })

  test('that fail by the store are not tried again', async () => {
    let tries = 0
    const batcher = createBatcher<Operation>({
      async execute() {
        tries++
        throw new Error('no disk')
      },
      maxSize: 100,
      isOfOne: (error) => (error as Error).message !== 'no disk',
    })
    const results = await Promise.allSettled([1, 2, 3].map((value) => batcher.submit(operation(value))))
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect(tries).toBe(1)
  })

  test('drain waits for all that was submitted', async () => {
    const { batcher, batches } = recording({ maxSize: 1 })
    for (let i = 0; i < 5; i++) void batcher.submit(operation(i))
    await batcher.drain()
    expect(batches).toHaveLength(5)
    await batcher.drain()
  })
})

describe('kill points', () => {
  test('each applied write passes its own, before it is acknowledged', async () => {
    const seen: string[] = []
    const { batcher } = recording({ hook: (point, id) => void seen.push(`${point} ${id}`) })
    const acknowledged = (id: string) => () => void seen.push(`acknowledged ${id}`)
    await Promise.all([
      batcher.submit(operation(1, 'a', 'begin')).then(acknowledged('a')),
      batcher.submit(operation(0, 'b', 'begin')).then(acknowledged('b')), // did not match: nothing was applied
      batcher.submit(operation(1, 'c')).then(acknowledged('c')),
    ])
    expect(seen[0]).toBe('begin.applied-before-ack a')
    expect(seen.filter((line) => line.includes('applied'))).toHaveLength(1)
    expect(seen).toHaveLength(4)
  })

  test('a batch with a commit stops half-way through its acknowledgements', async () => {
    const acknowledged: number[] = []
    let atHalf: number[] = []
    const hook: Hook = (point) => {
      if (point === 'commit.batch-half-resolved') atHalf = [...acknowledged]
    }
    const { batcher } = recording({ hook })
    const submitted = [1, 2, 3, 4].map((value) => batcher.submit(operation(value, `${value}`, 'commit')))
    await Promise.all(submitted.map((result) => result.then((value) => void acknowledged.push(value))))
    expect(atHalf).toEqual([1, 2])
    expect(acknowledged.toSorted()).toEqual([1, 2, 3, 4])
  })

  test('neither a lone commit nor a batch without one does', async () => {
    const points: string[] = []
    const { batcher } = recording({ hook: (point) => void points.push(point) })
    await batcher.submit(operation(1, 'a', 'commit'))
    await Promise.all(['a', 'b'].map((key) => batcher.submit(operation(1, key, 'begin'))))
    expect(points).not.toContain('commit.batch-half-resolved')
  })

  test('one that never returns stops nobody else', async () => {
    const hook: Hook = (_, id) => (id === 'dead' ? new Promise(() => {}) : undefined)
    const { batcher } = recording({ hook })
    void batcher.submit(operation(1, 'dead', 'begin'))
    expect(await batcher.submit(operation(2, 'alive', 'begin'))).toBe(2)
    expect(await batcher.submit(operation(3, 'dead'))).toBe(3)
  })

  test('one that throws is a lost acknowledgement', async () => {
    const losing = (lost: string): Hook => {
      return (point) => {
        if (point === lost) throw new Error('lost')
      }
    }
    for (const [point, outcome] of [
      ['begin.applied-before-ack', ['rejected', 'fulfilled']],
      ['commit.batch-half-resolved', ['fulfilled', 'rejected']],
    ] as const) {
      const { batcher, batches } = recording({ hook: losing(point) })
      const results = await Promise.allSettled([
        batcher.submit(operation(1, 'a', 'begin')),
        batcher.submit(operation(2, 'b', 'commit')),
      ])
      expect(batches.flat()).toHaveLength(2)
      expect(results.map(({ status }) => status)).toEqual(outcome)
    }
  })
})
