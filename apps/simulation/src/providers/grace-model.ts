import { DAY, GRACE_MS, HOUR } from '@tokenkeeper/core'
import type { Refreshed } from '@tokenkeeper/providers'
import type { ProviderModel } from './model.ts'

const ACCESS_LIFE_MS = 2 * HOUR
const REFRESH_LIFE_MS = 90 * DAY

interface Session {
  readonly externalId: string
  readonly expiresAt: number
  readonly nextId: string | null
}

/**
 * A PDS's table of refresh tokens: the first use of a token makes its successor and leaves it 2 h to live; each further
 * use yields the same successor, as long as it lives, and makes it again if it was deleted. Measured at
 * @atproto/pds 0.5.35.
 */
export function createGraceModel(now: () => number): ProviderModel {
  let sessions = new Map<string, Session>()
  let backup = sessions
  const issued = new Map<string, { readonly order: number; readonly login: number }>()
  const forgotten = new Set<string>()
  let issuedLastTo: string | null = null
  let texts = 0

  function issue(externalId: string, login: number | null): string {
    backup = new Map(sessions)
    issuedLastTo = externalId
    const order = issued.size
    const id = `s${order}`
    issued.set(id, { order, login: login ?? order })
    sessions.set(id, { externalId, expiresAt: now() + REFRESH_LIFE_MS, nextId: null })
    return id
  }

  /** Each text of a session is another one. */
  function answer(id: string): Refreshed {
    const text = texts++
    return {
      kind: 'refreshed',
      credential: { accessToken: `access ${id} ${text}`, refreshToken: `refresh ${id} ${text}` },
      accessExpiresAt: Math.floor(now()) + ACCESS_LIFE_MS,
      diesAt: Math.floor(now()) + REFRESH_LIFE_MS,
      note: null,
    }
  }

  const idOf = ({ refreshToken }: { readonly refreshToken: string }) => refreshToken.split(' ')[1]!

  return {
    login(externalId) {
      return answer(issue(externalId, null))
    },
    refresh(credential) {
      const id = idOf(credential)
      const session = sessions.get(id)
      if (!session || session.expiresAt <= now()) return null
      const { externalId } = session
      const nextId = session.nextId ?? issue(externalId, issued.get(id)!.login)
      sessions.set(id, { externalId, expiresAt: Math.min(session.expiresAt, now() + GRACE_MS), nextId })
      if (!sessions.has(nextId)) sessions.set(nextId, { externalId, expiresAt: now() + REFRESH_LIFE_MS, nextId: null })
      return answer(nextId)
    },
    logout(credential) {
      sessions.delete(idOf(credential))
    },
    revokeAll(externalId) {
      for (const [id, session] of sessions) if (session.externalId === externalId) sessions.delete(id)
      backup = new Map(sessions)
    },
    restoreBackup() {
      sessions = new Map(backup)
      if (issuedLastTo !== null) forgotten.add(issuedLastTo)
    },
    lineage: {
      idOf,
      acceptedUntil(id) {
        const expiresAt = sessions.get(id)?.expiresAt ?? 0
        return expiresAt > now() ? expiresAt : Number.NEGATIVE_INFINITY
      },
      orderOf: (id) => issued.get(id)!.order,
      loginOf: (id) => issued.get(id)!.login,
      hasForgotten: (externalId) => forgotten.has(externalId),
    },
  }
}
