import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { ConfigError } from './config-error.ts'

export type Env = Readonly<Record<string, string | undefined>>

export interface Environment {
  readonly variables: Env
  /** The `.env` file that was read; null if there is none. */
  readonly envFile: string | null
}

/**
 * The variables of the process, and below them those of the `.env` file of the directory: the real environment wins,
 * also with an empty value, as in `process.loadEnvFile`. Throws ConfigError if the file is there but cannot be read.
 */
export function readEnv(directory: string = process.cwd()): Environment {
  const file = join(directory, '.env')
  const content = readIfThere(file)
  if (content === null) return { variables: { ...process.env }, envFile: null }
  return { variables: { ...parseEnv(content), ...process.env }, envFile: file }
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    if (code === 'ENOENT') return null
    throw new ConfigError([
      { variable: '.env', message: `is there but cannot be read (${code}): check its permissions` },
    ])
  }
}
