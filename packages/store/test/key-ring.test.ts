import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { createSealer, parseKeyRing } from '../src/index.ts'

const key = () => randomBytes(32).toString('base64')

describe('parseKeyRing', () => {
  test('the first entry seals, all open; space around entries and missing padding are no matter', () => {
    const ring = parseKeyRing(` new-1:${key()} , old_0:${key().replace('=', '')}\n`)
    expect(ring.currentKeyId).toBe('new-1')
    expect(createSealer(ring)).toMatchObject({ currentKeyId: 'new-1', keyIds: ['new-1', 'old_0'] })
  })

  const good = key()
  const base64OfWrongLength = randomBytes(31).toString('base64')
  test.each([
    ['empty', '', 1, 'is not of the form id:key'],
    ['no id', `:${good}`, 1, 'is not of the form id:key'],
    ['no key', `a:${good},b:`, 2, 'is not of the form id:key'],
    ['a key alone', good, 1, 'is not of the form id:key'],
    ['a comma at the end', `a:${good},`, 2, 'is not of the form id:key'],
    ['a part too many', `a:${good}:x`, 1, 'is not of the form id:key'],
    ['a dot in the id', `a.b:${good}`, 1, 'has an id with other characters than A-Z a-z 0-9 _ -'],
    ['a repeated id', `a:${good},b:${key()},a:${key()}`, 3, 'has the same id as an earlier one'],
    ['a short key', `a:${base64OfWrongLength}`, 1, 'is not a key of 32 bytes in base64'],
    ['no base64', `a:${'!'.repeat(44)}`, 1, 'is not a key of 32 bytes in base64'],
    ['hex', `a:${randomBytes(32).toString('hex')}`, 1, 'is not a key of 32 bytes in base64'],
  ])('refuses %s, naming the position and not the key', (_, text, position, what) => {
    const error = errorOf(() => parseKeyRing(text))
    expect(error).toMatchObject({
      code: 'KEY_RING_INVALID',
      message: `The encryption keys cannot be used: entry ${position} ${what}.`,
    })
    for (const secret of text.split(/[,:]/).filter((part) => part.length > 20)) {
      expect(inspect(error)).not.toContain(secret)
    }
  })

  test('a ring prints no key', () => {
    const secret = key()
    const printed = inspect(parseKeyRing(`a:${secret}`), { depth: 9, showHidden: true })
    expect(printed).not.toContain(secret)
    expect(printed).not.toContain(Buffer.from(secret, 'base64').toString('hex').slice(0, 8))
  })
})

function errorOf(action: () => unknown): unknown {
  try {
    action()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}
