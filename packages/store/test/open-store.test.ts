import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { openStore } from '../src/index.ts'

describe('openStore', () => {
  test('sqlite:PATH', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'tokenkeeper-open-'))
    {
      await using store = await openStore(`sqlite:${join(directory, 'deep', 'file.db')}`)
      await store.ping()
    }
    await rm(directory, { recursive: true })
  })

  test.each([
    [
      'postgres://keeper:hunter2@db/tokens',
      'The database address (DATABASE_URL, if none was given) names no known store (postgres:): use sqlite:PATH or mongodb://HOST/DATABASE.',
    ],
    [
      'hunter2',
      'The database address (DATABASE_URL, if none was given) has no scheme: use sqlite:PATH or mongodb://HOST/DATABASE.',
    ],
    [
      '',
      'The database address (DATABASE_URL, if none was given) has no scheme: use sqlite:PATH or mongodb://HOST/DATABASE.',
    ],
    ['sqlite:', 'The database address (DATABASE_URL, if none was given) has no path: use sqlite:PATH.'],
  ])('refuses %j and shows no more of it than the scheme', async (url, message) => {
    const error = await openStore(url).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'STORE_URL_UNKNOWN', message })
    expect(inspect(error)).not.toContain('hunter2')
  })
})
