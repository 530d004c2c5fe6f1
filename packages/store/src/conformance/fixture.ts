import type { Store } from '../store.ts'

/** A store on fresh data for one test. */
export interface StoreFixture extends AsyncDisposable {
  readonly store: Store
  /** A further handle on the same data, as another process has one; disposed with the fixture. */
  openSecond(): Promise<Store>
}

export type OpenFixture = () => Promise<StoreFixture>
