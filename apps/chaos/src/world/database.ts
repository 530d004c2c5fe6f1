/** One way in which a store goes away; resolves when it is away, to what brings it back. */
export interface Outage {
  readonly name: string
  begin(): Promise<() => Promise<void>>
}

/** The store under test. */
export interface Database extends AsyncDisposable {
  /** Past everything that fails: for the chaos itself. */
  readonly url: string
  /** As the product reaches it. */
  readonly fleetUrl: string
  readonly outages: readonly Outage[]
}
