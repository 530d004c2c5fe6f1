import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tokenDigest } from '@tokenkeeper/core'
import { type ProxiedRequest, type TempDir, tempDir } from '@tokenkeeper/testkit'
import { createHistory } from '../src/journal/history.ts'
import type { Note } from '../src/journal/notes.ts'
import { REFRESH } from '../src/load.ts'
import type { Member } from '../src/world/fleet.ts'
import { createSessions } from '../src/world/sessions.ts'
import type { User } from '../src/world/users.ts'

export const DID = 'did:plc:user'
export const ACCOUNT = 'a'.repeat(24)

/** A refresh token as a PDS makes it: known by its id, not by its bytes. */
export function refreshJwt(jti: string, issue = 0): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'none' })}.${part({ jti, sub: DID, aud: 'did:web:localhost', exp: issue })}.`
}

export const digestOf = (jti: string) => tokenDigest(refreshJwt(jti))

/** What chaos has gathered, told by a test: journals of processes, requests, sessions of one user. */
export async function createRecord(journals: Readonly<Record<string, readonly Note[]>>) {
  const dir: TempDir = await tempDir()
  for (const [by, notes] of Object.entries(journals)) {
    writeFileSync(join(dir.path, `${by}.jsonl`), notes.map((note) => `${JSON.stringify(note)}\n`).join(''))
  }
  const history = createHistory(dir.path)
  history.read()
  const sessions = createSessions()
  const requests: ProxiedRequest[] = []
  const members = new Map(Object.keys(journals).map((name) => [name, { name, stops: [] } as unknown as Member]))
  const user = { pds: { did: DID }, accountId: ACCOUNT, removed: [], revocations: [] } as unknown as User
  return {
    history,
    sessions,
    users: [user],
    fleet: { members },
    proxy: { requests },
    /** The PDS answers `jti` with its successor. */
    rotate(jti: string, successor: string): void {
      const answer = { status: 200, headers: {}, body: JSON.stringify({ refreshJwt: refreshJwt(successor) }) }
      sessions.onAnswer(request(jti, 0), answer)
    },
    present: (jti: string, at: number, status = 200) => void requests.push(request(jti, at, status)),
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  }
}

function request(jti: string, at: number, status?: number): ProxiedRequest {
  return { at, method: 'POST', path: REFRESH, tokenDigest: digestOf(jti), status }
}

/** An attempt that begins at `at` and whose Begin is acknowledged at once. */
export function begins(n: number, id: string, jti: string, at: number, standing: string | null = null): Note[] {
  return write(n, at, { standing, begins: { id, digest: digestOf(jti) } })
}

/** A write that is acknowledged at once. */
export function write(n: number, at: number, part: Partial<Extract<Note, { kind: 'sent' }>>): Note[] {
  const nothing = { standing: undefined, begins: undefined, ends: undefined, stores: undefined }
  return [
    { kind: 'sent', n, at, accountId: ACCOUNT, ...nothing, ...part },
    { kind: 'acknowledged', n, at, applied: true },
  ]
}
