import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { CodedError, ERRORS, hasCode, toCodedError } from '../src/index.ts'

const SECRET = 'what-the-provider-said'

describe('CodedError', () => {
  test('says the public message and keeps the internal detail for those who ask', () => {
    const cause = new Error('connect ECONNREFUSED')
    const error = new CodedError('STORE_UNAVAILABLE', { internal: SECRET, cause })
    expect(error).toBeInstanceOf(Error)
    expect(error.name).toBe('CodedError')
    expect(error.message).toBe(ERRORS.STORE_UNAVAILABLE)
    expect(error.code).toBe('STORE_UNAVAILABLE')
    expect(error.internal).toBe(SECRET)
    expect(error.cause).toBe(cause)
  })

  test('a public message of its own replaces the text of the table', () => {
    const error = new CodedError('STORE_UNAVAILABLE', { publicMessage: 'The disk is full.' })
    expect(error.message).toBe('The disk is full.')
  })

  test('without a cause it has none', () => {
    expect('cause' in new CodedError('INTERNAL')).toBe(false)
  })

  test.each<[string, (error: CodedError) => string]>([
    ['JSON', (error) => JSON.stringify(error)],
    ['JSON, nested', (error) => JSON.stringify({ failures: [{ error }] })],
    ['a copy of its fields', (error) => JSON.stringify({ ...error })],
    ['Object.entries', (error) => JSON.stringify(Object.entries(error))],
    ['inspection', (error) => inspect(error, { depth: null, showHidden: true })],
    ['a string', (error) => String(error)],
    ['the stack', (error) => error.stack ?? ''],
    ['a structured clone', (error) => inspect(structuredClone(error))],
  ])('%s does not carry the internal detail', (_, render) => {
    const text = render(new CodedError('PROVIDER_BAD_ANSWER', { internal: SECRET }))
    expect(text).not.toBe('')
    expect(text).not.toContain(SECRET)
  })

  test('as JSON it is code and public message, without its cause', () => {
    const error = new CodedError('LOGIN_REFUSED', { internal: SECRET, cause: new Error(SECRET) })
    expect(JSON.parse(JSON.stringify(error))).toEqual({ code: 'LOGIN_REFUSED', message: ERRORS.LOGIN_REFUSED })
  })
})

test('every public message is a sentence of ours', () => {
  for (const [code, message] of Object.entries(ERRORS)) {
    expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/)
    expect(message).toMatch(/^[A-Z].*\S[.]?$/s)
  }
})

test('hasCode tells our errors by their code', () => {
  const error = new CodedError('KEY_MISSING')
  expect(hasCode(error, 'KEY_MISSING')).toBe(true)
  expect(hasCode(error, 'INTERNAL')).toBe(false)
  expect(hasCode({ code: 'KEY_MISSING' }, 'KEY_MISSING')).toBe(false)
  expect(hasCode(undefined, 'KEY_MISSING')).toBe(false)
})

describe('toCodedError', () => {
  test('leaves ours as they are', () => {
    const error = new CodedError('KEY_MISSING')
    expect(toCodedError(error)).toBe(error)
  })

  test('keeps the words of others internal', () => {
    const thrown = new TypeError(SECRET)
    const error = toCodedError(thrown)
    expect(error.code).toBe('INTERNAL')
    expect(error.message).toBe(ERRORS.INTERNAL)
    expect(error.internal).toBe(SECRET)
    expect(error.cause).toBe(thrown)
  })

  test.each([[SECRET], [42], [undefined], [null], [Symbol('s')]])('takes anything thrown: %s', (thrown) => {
    const error = toCodedError(thrown)
    expect(error.message).toBe(ERRORS.INTERNAL)
    expect(error.internal).toBe(String(thrown))
  })
})
