import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { tempDir } from '@tokenkeeper/testkit'
import { describe, expect, test } from 'vitest'
import { csvRows } from '../src/import/csv.ts'
import { mappingOf } from '../src/import/fields.ts'
import { mapFields } from '../src/import/map-fields.ts'
import { ndjsonRows } from '../src/import/ndjson.ts'
import type { Rows, SourceRow } from '../src/import/row.ts'
import { dumpRows } from '../src/import/sql-dump/dump-rows.ts'
import { sqliteRows } from '../src/import/sqlite-file.ts'
import { readTime } from '../src/import/times.ts'

/** A source that gives `size` characters at a time. */
async function* inPieces(text: string, size = 65_536): AsyncGenerator<string> {
  for (let i = 0; i < text.length; i += size) yield text.slice(i, i + size)
}

async function all(rows: Rows): Promise<SourceRow[]> {
  const found: SourceRow[] = []
  for await (const row of rows) found.push(row)
  return found
}

describe('NDJSON', () => {
  test.each([1, 7, 65_536])('in pieces of %i characters: good lines, bad lines, empty lines', async (size) => {
    const text = '\uFEFF{"a":1}\r\n\n[1]\n{"b":\n{"c":"ü\\n"}'
    expect(await all(ndjsonRows(inPieces(text, size)))).toEqual([
      { line: 1, fields: { a: 1 } },
      { line: 3, fields: null, text: '[1]' },
      { line: 4, fields: null, text: '{"b":' },
      { line: 5, fields: { c: 'ü\n' } },
    ])
  })

  test('a line that does not end is cut, not kept', async () => {
    const [row] = await all(ndjsonRows(inPieces('x'.repeat(3_000_000))))
    expect(row).toMatchObject({ line: 1, fields: null })
    expect(row!.text).toHaveLength(1_000_000)
  })
})

describe('CSV', () => {
  test.each([1, 65_536])('in pieces of %i characters: quotes, breaks, too few and too many values', async (size) => {
    const text = '\uFEFFa,b\r\n1,"x ""y"", z"\r\n"two\r\nlines",2\r\nonly one\r\n1,2,3\r\n\r\n5,6\r\n'
    expect(await all(csvRows(inPieces(text, size)))).toEqual([
      { line: 2, fields: { a: '1', b: 'x "y", z' } },
      { line: 3, fields: { a: 'two\nlines', b: '2' } },
      { line: 5, fields: null, text: 'only one' },
      { line: 6, fields: null, text: '1,2,3' },
      { line: 8, fields: { a: '5', b: '6' } },
    ])
  })

  test('a quotation mark within a value does no harm to the next line', async () => {
    const rows = await all(csvRows(inPieces('a,b\n1,"x"y\n3,4\n')))
    expect(rows).toEqual([
      { line: 2, fields: { a: '1', b: '"x"y' } },
      { line: 3, fields: { a: '3', b: '4' } },
    ])
  })

  test('one that is never closed is a line that cannot be read', async () => {
    const rows = await all(csvRows(inPieces('a,b\n1,2\n3,"4\n5,6\n')))
    expect(rows).toEqual([
      { line: 2, fields: { a: '1', b: '2' } },
      { line: 3, fields: null, text: expect.stringContaining('3,"4') },
    ])
  })

  test('another delimiter', async () => {
    expect(await all(csvRows(inPieces('a;b\n1;2\n'), ';'))).toEqual([{ line: 2, fields: { a: '1', b: '2' } }])
  })

  test('without names of columns it is no source, and the first line is not repeated', async () => {
    const error = await all(csvRows(inPieces('secret-one,secret-one\n'))).catch((reason) => reason)
    expect(error.code).toBe('IMPORT_SOURCE_UNREADABLE')
    expect(error.message).not.toContain('secret')
  })
})

// Made by the tools themselves (MariaDB 10.11, SQLite 3.40, PostgreSQL 15), of the same rows and with a trigger.
const DUMPS = ['mysql', 'sqlite', 'postgresql-copy', 'postgresql-inserts']
const NOTES = [
  'plain',
  'it\'s; -- not a comment /* nor this */ \\ "quoted" `x`',
  'two\nlines\twith a tab, a \\N and a (bracket)',
  'ünïcödé 🦋',
]

describe.each(DUMPS)('the dump %s', (name) => {
  const read = () => readFile(new URL(`fixtures/dumps/${name}.sql`, import.meta.url), 'utf8')

  test.each([1, 13, 65_536])('in pieces of %i characters: the rows of one table, as they were', async (size) => {
    const rows = await all(dumpRows(inPieces(await read(), size), 'bluesky_sessions'))
    expect(rows.map(({ line, fields }) => [line, fields?.note])).toEqual(NOTES.map((note, i) => [i + 1, note]))
    expect(rows.map(({ fields }) => fields?.id)).toEqual(['1', '2', '3', '4'])
    expect(rows[3]!.fields).toMatchObject({ handle: 'nobody.example', refresh_jwt: null })
    expect(Object.keys(rows[0]!.fields!)).toEqual([
      'id',
      'user_id',
      'did',
      'handle',
      'access_jwt',
      'refresh_jwt',
      'note',
      'created_at',
    ])
    expect(readTime(rows[0]!.fields!.created_at)).toBe(Date.UTC(2026, 10, 1, 10))
  })

  test('cut off within the rows it says so', async () => {
    const text = await read()
    const rows = await all(dumpRows(inPieces(text.slice(0, text.indexOf('user-3') + 60)), 'bluesky_sessions'))
    expect(rows.at(-1)!.fields).toBeNull()
  })

  test('without the table it is no source', async () => {
    await expect(all(dumpRows(inPieces(await read()), 'sessions'))).rejects.toMatchObject({
      code: 'IMPORT_SOURCE_UNREADABLE',
    })
  })
})

describe('SQL', () => {
  test.each([
    [
      "INSERT INTO t (a, b) VALUES (1, 'x'), (-2.5e-3, NULL) ON CONFLICT DO NOTHING;",
      [
        ['1', 'x'],
        ['-2.5e-3', null],
      ],
    ],
    ["insert into app.t (a, b) values (X'6869', E'a\\'b\\n');", [['hi', "a'b\n"]]],
    ["REPLACE INTO `t` (`a`, `b`) VALUES (0x6869, _binary 'x\\\\y');", [['hi', 'x\\y']]],
    ['INSERT INTO "T" (a, "b;c") OVERRIDING SYSTEM VALUE VALUES (TRUE, \'it\'\'s\');', [['true', "it's"]]],
    ["INSERT INTO [t] (a, b) VALUES (replace('x\\ny','\\n',char(10)), unistr('\\u00fc\\\\'));", [['x\ny', 'ü\\']]],
  ])('%s', async (text, values) => {
    const rows = await all(dumpRows(inPieces(text), 't'))
    expect(rows.map(({ fields }) => fields && Object.values(fields))).toEqual(values)
  })

  test('what no dump holds is a row that cannot be read', async () => {
    const rows = await all(dumpRows(inPieces("INSERT INTO t (a) VALUES (now()), ('x', 'y'), ('z');"), 't'))
    expect(rows.map(({ fields }) => fields)).toEqual([null, null, { a: 'z' }])
  })

  test('columns that are not told', async () => {
    await expect(all(dumpRows(inPieces("INSERT INTO t VALUES ('x');"), 't'))).rejects.toThrow(/--complete-insert/)
  })

  test('a value of 30 MB in another table is passed over', async () => {
    async function* dump() {
      yield "CREATE TABLE t (a TEXT);\nINSERT INTO blobs VALUES ('"
      for (let i = 0; i < 480; i++) yield "x''y".repeat(16_384)
      yield "');\nINSERT INTO t VALUES ('z');"
    }
    expect(await all(dumpRows(dump(), 't'))).toEqual([{ line: 1, fields: { a: 'z' } }])
  })
})

test('a SQLite file', async () => {
  await using dir = await tempDir()
  const path = join(dir.path, 'app.db')
  {
    using db = new DatabaseSync(path)
    db.exec(`CREATE TABLE "my table" (id INTEGER, token TEXT, blob BLOB);
      INSERT INTO "my table" VALUES (9007199254740993, 'x', X'6869'), (2, NULL, NULL)`)
  }
  expect(await all(sqliteRows(path, 'My Table'))).toEqual([
    { line: 1, fields: { id: '9007199254740993', token: 'x', blob: 'hi' } },
    { line: 2, fields: { id: '2', token: null, blob: null } },
  ])
  await expect(all(sqliteRows(path, 'x'))).rejects.toMatchObject({ code: 'IMPORT_SOURCE_UNREADABLE' })
})

describe('fields', () => {
  const line = {
    did: 'did:plc:x',
    'a.b': 'whole',
    session: '{"tokens":{"refreshJwt":"r"}}',
    doc: { list: [{ at: { $date: '2026-01-01T00:00:00Z' } }], _id: { $oid: 'abc' } },
    ownerId: 'by its own name',
    empty: '',
  }
  const map = (texts: Parameters<typeof mappingOf>[0]) => mapFields(line, mappingOf(texts))

  test.each([
    ['a name', 'did', 'did:plc:x'],
    ['a name with a dot', 'a.b', 'whole'],
    ['a way into JSON that is kept as text', 'session.tokens.refreshJwt', 'r'],
    ['a way through a list', 'doc.list.0.at', '2026-01-01T00:00:00Z'],
    ['what MongoDB wraps', 'doc._id', 'abc'],
    ['a constant', ':did', 'did'],
    ['nothing there', 'nothing.there', undefined],
    ['an empty text', 'empty', undefined],
    ['what every object has', 'constructor.name', undefined],
  ])('%s', (_, place, value) => expect(map({ externalId: place }).externalId).toBe(value))

  test('one that is not mapped is found under its own name', () => {
    expect(map({})).toEqual({ ownerId: 'by its own name' })
    expect(map({ ownerId: 'did' }).ownerId).toBe('did:plc:x')
  })
})

test.each([
  [1_767_225_600, 1_767_225_600_000],
  [1_767_225_600_000, 1_767_225_600_000],
  ['1767225600', 1_767_225_600_000],
  ['2026-01-01', 1_767_225_600_000],
  ['2026-01-01T00:00:00.000Z', 1_767_225_600_000],
  ['2026-01-01 00:00:00', 1_767_225_600_000],
  ['2026-01-01 01:00:00.123456+01', 1_767_225_600_123],
  ['2025-12-31T22:30:00-0130', 1_767_225_600_000],
  [new Date(1_767_225_600_000), 1_767_225_600_000],
  [0, null],
  ['0', null],
  ['', null],
  [null, null],
  ['never', undefined],
  ['2026-13-45', undefined],
  [-5, undefined],
  [{}, undefined],
])('the time %j', (value, time) => expect(readTime(value)).toBe(time))
