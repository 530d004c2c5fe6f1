import type { RetryVerdict } from '@tokenkeeper/core'
import type { HttpResult } from './http.ts'

interface Reply {
  readonly result: HttpResult
}

/** The first rows of every provider's table: what it means that no answer came, whoever was asked. */
export const NO_ANSWER_ROWS = [
  {
    when: ({ result }: Reply) => result.kind === 'not_sent',
    verdict: ({ result }: Reply): RetryVerdict => ({
      kind: 'retry',
      code: result.kind === 'not_sent' ? result.code : 'PROVIDER_UNREACHABLE',
      spent: 'no',
    }),
  },
  { when: unknown('timeout'), verdict: { kind: 'retry', code: 'PROVIDER_TIMEOUT', spent: 'unknown' } },
  { when: unknown('reset'), verdict: { kind: 'retry', code: 'PROVIDER_UNAVAILABLE', spent: 'unknown' } },
] as const

function unknown(reason: 'timeout' | 'reset'): (reply: Reply) => boolean {
  return ({ result }) => result.kind === 'unknown' && result.reason === reason
}
