import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { formsOf } from './forms.ts'
import { redisValues } from './redis-values.ts'

export interface Finding {
  readonly where: string
  /** Which of the secrets; the secret itself is not repeated. */
  readonly secretIndex: number
}

/** Looks for planted secrets, plain, JSON-escaped, URL-encoded, in hex and in base64 at any offset. */
export interface SecretSearch {
  search(content: string | Uint8Array, where: string): Finding[]
  /** All files below, their paths included, as raw bytes. */
  searchDir(dir: string): Promise<Finding[]>
  /** All keys of the URL's database, of every type, their names included. */
  searchRedis(url: string): Promise<Finding[]>
}

/** @throws Error for a secret under 8 characters: it would be found by chance. */
export function createSecretSearch(secrets: readonly string[]): SecretSearch {
  if (secrets.length === 0) throw new Error('No secrets to search for')
  if (secrets.some(({ length }) => length < 8)) throw new Error('A secret of under 8 characters is found by chance')
  const forms = secrets.map(formsOf)

  const search = (content: string | Uint8Array, where: string): Finding[] => {
    const bytes = Buffer.from(content as string)
    return forms.flatMap((any, secretIndex) =>
      any.some((form) => bytes.includes(form)) ? [{ where, secretIndex }] : [],
    )
  }
  return {
    search,
    async searchDir(dir) {
      const findings: Finding[] = []
      for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
        const path = join(entry.parentPath, entry.name)
        findings.push(...search(path.slice(dir.length), path))
        if (entry.isFile()) findings.push(...search(await readIfThere(path), path))
      }
      return findings
    },
    async searchRedis(url) {
      const { Redis } = await import('ioredis')
      const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null })
      // Told by connect() and by each command as well.
      redis.on('error', () => {})
      try {
        await redis.connect()
        const findings: Finding[] = []
        for await (const { key, content } of redisValues(redis)) findings.push(...search(content, key))
        return findings
      } finally {
        redis.disconnect()
      }
    },
  }
}

/** A running process may remove a file between the listing and the reading. */
async function readIfThere(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0)
    throw error
  }
}
