import type { AppContext, RedisAccess } from '@tokenkeeper/context'
import type { Clock, MakeId, Platform } from '@tokenkeeper/core'
import type { Store } from '@tokenkeeper/store'
import type { Authenticator } from './auth/authenticator.ts'

/** What routes take. */
export interface ApiDeps {
  readonly store: Store
  readonly clock: Clock
  readonly makeId: MakeId
  /** Platforms that can be refreshed. */
  readonly platforms: readonly Platform[]
  /** The first signs cookies, all verify them. */
  readonly cookieKeys: readonly Buffer[]
  readonly authenticator: Authenticator
  readonly redis: RedisAccess
  readonly engine: Pick<AppContext['engine'], 'endHalts'>
}
