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
      'DATABASE_URL names no known store (postgres:): use sqlite:PATH or mongodb://HOST/DATABASE.',
    ],
    ['hunter2', 'DATABASE_URL has no scheme: use sqlite:PATH or mongodb://HOST/DATABASE.'],
    ['', 'DATABASE_URL has no scheme: use sqlite:PATH or mongodb://HOST/DATABASE.'],
    ['sqlite:', 'DATABASE_URL has no path: use sqlite:PATH.'],
  ])('refuses %j and shows no more of it than the scheme', async (url, message) => {
    const error = await openStore(url).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'STORE_URL_UNKNOWN', message })
    expect(inspect(error)).not.toContain('hunter2')
  })
})
