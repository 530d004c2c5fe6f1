import { spawnSync } from 'node:child_process'
import { CodedError } from '@tokenkeeper/core'
import { describe, expect, test } from 'vitest'
import { createLoggers, type Logger, type LogOptions } from '../src/index.ts'
import { SECRET_FORMS } from './secrets.ts'

function recording(options: Partial<LogOptions> = {}): { lines: string[]; log: Logger } {
  const lines: string[] = []
  const destination = { write: (line: string) => lines.push(line) }
  return { lines, log: createLoggers({ level: 'trace', format: 'json', destination, ...options })('engine') }
}

function only(lines: readonly string[]): Record<string, unknown> {
  expect(lines).toHaveLength(1)
  return JSON.parse(lines[0]!)
}

/** Every way by which a text gets into a log line. */
const PLACES: Record<string, (log: Logger, text: string) => void> = {
  'the message': (log, text) => log.info(text),
  'an argument of the message': (log, text) => log.info('%s and %j', text, { deep: [text] }),
  'a field': (log, text) => log.info({ detail: text }, 'said'),
  'a nested field': (log, text) => log.info({ answer: { body: { detail: text } } }, 'said'),
  'an array': (log, text) => log.info({ details: ['a', [text]] }, 'said'),
  'a binding of a child logger': (log, text) => log.child({ detail: text }).info('said'),
  'a child logger with its own redaction and serializers': (log, text) =>
    log
      .child({}, { redact: [], serializers: { detail: (it) => it }, msgPrefix: `${text} ` })
      .info({ detail: text }, 'said'),
  'a name of a field': (log, text) => log.info({ fields: { [text]: 1 } }, 'said'),
  'an error': (log, text) => log.error(new Error(text)),
  'an error under another name': (log, text) =>
    log.error({ failure: Object.assign(new Error('x'), { text }) }, 'failed'),
  'the internal words of an error': (log, text) => log.error(new CodedError('INTERNAL', { internal: text })),
  'the cause of a cause': (log, text) =>
    log.error({ err: new Error('outer', { cause: new CodedError('INTERNAL', { cause: new Error(text) }) }) }, 'failed'),
  'a cause that is no error': (log, text) => log.error(new Error('outer', { cause: { body: text } })),
  'gathered errors': (log, text) => log.error(new AggregateError([new Error('a'), new Error(text)], 'all failed')),
  'a stack': (log, text) => {
    const error = new Error('x')
    error.stack = `Error: x\n    at ${text}`
    log.error(error)
  },
}

describe.each(['json', 'pretty'] as const)('%s', (format) => {
  describe.each(Object.entries(PLACES))('in %s', (_, place) => {
    test.each(Object.entries(SECRET_FORMS))('%s does not appear', (_, form) => {
      const { lines, log } = recording({ format })
      const { text, secret } = form()
      place(log, text)
      expect(lines).toHaveLength(1)
      expect(lines[0]).not.toContain(secret)
      expect(lines[0]).not.toContain(JSON.stringify(secret).slice(1, -1))
      expect(lines[0]).toContain('[secret]')
    })
  })
})

describe('json', () => {
  test('a line has time, level, the name of the subsystem, fields and message', () => {
    const { lines, log } = recording()
    log.warn({ accountId: '66f0aabbccddeeff00112233' }, 'busy')
    expect(lines[0]).toMatch(/^\{.*\}\n$/)
    const { time, ...line } = only(lines)
    expect(time).toEqual(expect.any(Number))
    expect(line).toEqual({
      level: 40,
      pid: process.pid,
      name: 'tokenkeeper:engine',
      accountId: '66f0aabbccddeeff00112233',
      msg: 'busy',
    })
  })

  test('says of an error what kind it is, its code, messages and causes', () => {
    const { lines, log } = recording({ level: 'info' })
    const cause = Object.assign(new TypeError('connect failed'), { code: 'ECONNREFUSED' })
    log.error(new CodedError('STORE_UNAVAILABLE', { internal: 'busy for 5 s', cause }))
    expect(only(lines).err).toEqual({
      type: 'CodedError',
      code: 'STORE_UNAVAILABLE',
      message: 'The database cannot be reached or written now.',
      internal: 'busy for 5 s',
      cause: { type: 'TypeError', code: 'ECONNREFUSED', message: 'connect failed' },
    })
  })

  test.each(['err', 'error', 'cause', 'reason'])('knows an error under the name %s', (name) => {
    const { lines, log } = recording({ level: 'info' })
    log.error({ [name]: new RangeError('too much') }, 'failed')
    expect(only(lines)[name]).toEqual({ type: 'RangeError', message: 'too much' })
  })

  test('an error that is its own cause ends', () => {
    const { lines, log } = recording()
    const error = new Error('circle')
    error.cause = error
    log.error(error)
    expect(only(lines).err).toMatchObject({ message: 'circle', cause: { message: 'circle' } })
  })

  test.each([
    ['info', false],
    ['debug', true],
    ['trace', true],
  ] as const)('at level %s a stack is shown: %s', (level, shown) => {
    const { lines, log } = recording({ level })
    log.error(new Error('outer', { cause: new Error('inner') }))
    const { err } = only(lines) as { err: { stack?: string; cause: { stack?: string } } }
    expect('stack' in err).toBe(shown)
    expect('stack' in err.cause).toBe(shown)
  })
})

test('pretty: a line for people, with time, level, subsystem, message and fields, and no colours off a terminal', () => {
  const { lines, log } = recording({ format: 'pretty', level: 'info' })
  log.info({ accountId: '66f0aabbccddeeff00112233' }, 'refreshed')
  log.error(new CodedError('STORE_UNAVAILABLE', { internal: 'two\nlines' }))
  expect(lines[0]).toMatch(
    /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO \(tokenkeeper:engine\): refreshed \{"accountId":"66f0aabbccddeeff00112233"\}\n$/,
  )
  expect(lines[1]).toMatch(/ERROR \(tokenkeeper:engine\): The database cannot.*"code":"STORE_UNAVAILABLE".*\n$/)
  for (const line of lines) expect(line.split('\n')).toHaveLength(2)
})

test('logs nothing below the level, and nothing at all at silent', () => {
  const { lines, log } = recording({ level: 'warn' })
  log.info('not this')
  const { lines: none, log: silent } = recording({ level: 'silent' })
  silent.fatal('nor this')
  expect([...lines, ...none]).toEqual([])
})

test.each([
  ['json', 1],
  ['pretty', 1],
  ['json', 2],
  ['pretty', 2],
] as const)('%s: all lines are out, on descriptor %i, when the process exits or is killed', (format, fd) => {
  for (const end of ['process.exit(0)', 'process.kill(process.pid, "SIGKILL")', 'throw new Error("crash")']) {
    const script = `
      import { createLoggers } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)}
      const log = createLoggers({ level: 'info', format: '${format}', destination: ${fd} })('worker')
      for (let n = 0; n < 3000; n++) log.info({ n }, 'a line')
      ${end}`
    const child = spawnSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' })
    const output = fd === 1 ? child.stdout : child.stderr
    expect(output.match(/^.*a line.*$/gm)).toHaveLength(3_000)
    if (fd === 2) expect(child.stdout).toBe('')
  }
})
