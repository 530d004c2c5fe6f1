import { expect, test } from 'vitest'
import { type Clock, within } from '../src/index.ts'

/** A clock whose one sleep ends when told, or when its signal aborts. */
function heldClock() {
  const { promise: passed, resolve: pass } = Promise.withResolvers<void>()
  let aborted = false
  const clock: Pick<Clock, 'sleep'> = {
    sleep: (_ms, signal) =>
      Promise.race([
        passed,
        new Promise<void>((resolve) =>
          signal?.addEventListener('abort', () => {
            aborted = true
            resolve()
          }),
        ),
      ]),
  }
  return { clock, pass, wasAborted: () => aborted }
}

const never = () => {
  throw new Error('not late')
}

test('work that is done in time yields its value, and leaves no timer behind', async () => {
  const { clock, wasAborted } = heldClock()
  await expect(within(clock, 10, Promise.resolve(7), never)).resolves.toBe(7)
  expect(wasAborted()).toBe(true)
})

test('work that fails in time rejects with its own error', async () => {
  const { clock, wasAborted } = heldClock()
  await expect(within(clock, 10, Promise.reject(new Error('mine')), never)).rejects.toThrow('mine')
  expect(wasAborted()).toBe(true)
})

test('work that takes longer is given up for what is to be said then, and may fail unheard', async () => {
  const { clock, pass } = heldClock()
  const { promise: work, reject: fail } = Promise.withResolvers<number>()
  const answer = within(clock, 10, work, () => null)
  pass()
  await expect(answer).resolves.toBeNull()
  fail(new Error('unheard'))
  const { clock: other, pass: passOther } = heldClock()
  const refused = within(other, 10, new Promise<number>(() => {}), never)
  passOther()
  await expect(refused).rejects.toThrow('not late')
})
