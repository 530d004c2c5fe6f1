import type { Account } from '@tokenkeeper/core'
import type { World } from './world.ts'

/** What the kill matrix takes of a world, whoever the provider is. */
export interface MatrixWorld
  extends AsyncDisposable,
    Pick<
      World,
      'scene' | 'clockFile' | 'clock' | 'witness' | 'engine' | 'read' | 'run' | 'newActor' | 'refresh' | 'proxy'
    > {
  connect(): Promise<{ readonly account: Account }>
  /** Whether the provider accepts the stored access token, and for this account. */
  works(account: Account): Promise<boolean>
  /** Requests that presented a token to be refreshed. */
  presentations: World['presentations']
}
