import { DAY } from '@tokenkeeper/core'
import type { Refreshed } from '@tokenkeeper/providers'
import type { Random } from '../random.ts'
import type { ProviderModel } from './model.ts'

const LIFE_MS = 60 * DAY

interface Token {
  readonly externalId: string
  readonly expiresAt: number
}

/**
 * Long-lived tokens as Meta and Instagram keep them: a token is exchanged for one that ends later, mostly, and the old
 * one goes on working until its own end; or the same text is given a later end. An expired one is over.
 */
export function createExtendModel(now: () => number, random: Random, firstLifeMs: number): ProviderModel {
  const tokens = new Map<string, Token>()
  const issued = new Map<string, { readonly order: number; readonly login: number }>()

  function issue(externalId: string, expiresAt: number, login: number | null): Refreshed {
    const order = issued.size
    const accessToken = `token ${order}`
    issued.set(accessToken, { order, login: login ?? order })
    tokens.set(accessToken, { externalId, expiresAt })
    return answer(accessToken, expiresAt)
  }

  const keepsText = random.chance(0.3)
  const works = (accessToken: string) => (tokens.get(accessToken)?.expiresAt ?? 0) > now()

  return {
    login(externalId) {
      return issue(externalId, Math.floor(now()) + firstLifeMs, null)
    },
    refresh({ accessToken }) {
      const token = tokens.get(accessToken)
      if (!token || !works(accessToken)) return null
      const { externalId, expiresAt } = token
      const { login } = issued.get(accessToken)!
      const later = Math.floor(now()) + LIFE_MS
      const end = random.pick([later, later, later, expiresAt, Math.max(Math.floor(now()) + DAY / 2, expiresAt - DAY)])
      if (!keepsText) return issue(externalId, end, login)
      const extended = Math.max(end, expiresAt)
      tokens.set(accessToken, { externalId, expiresAt: extended })
      return answer(accessToken, extended)
    },
    logout() {},
    revokeAll(externalId) {
      for (const [text, token] of tokens) if (token.externalId === externalId) tokens.delete(text)
    },
    lineage: {
      idOf: ({ accessToken }) => accessToken,
      acceptedUntil: (id) => (works(id) ? tokens.get(id)!.expiresAt : Number.NEGATIVE_INFINITY),
      orderOf: (id) => issued.get(id)!.order,
      loginOf: (id) => issued.get(id)!.login,
      hasForgotten: () => false,
    },
  }
}

function answer(accessToken: string, expiresAt: number): Refreshed {
  return {
    kind: 'refreshed',
    credential: { accessToken, refreshToken: '' },
    accessExpiresAt: expiresAt,
    diesAt: expiresAt,
    note: null,
  }
}
