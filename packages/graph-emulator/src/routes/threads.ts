import { GraphError } from '../errors/graph-error.ts'
import { username } from './instagram.ts'
import type { Platform } from './sixty-days.ts'

/** graph.threads.net */
export const threads: Platform = {
  exchangeGrant: 'th_exchange_token',
  refreshGrant: 'th_refresh_token',
  codeAnswer: (_call, { value, userId }) => ({ access_token: value, user_id: Number(userId) }),
  refusal: (what) =>
    new GraphError(what === 'app' ? 'threads_app' : what === 'secret' ? 'secret_wrong' : 'threads_code'),
  me: ({ id, name }) => ({ id, username: username(name), name }),
}
