import type { DueAccount, DueQuery, Store } from '@tokenkeeper/store'
import { type Bed, openBed } from '../bed/bed.ts'
import type { StoreName } from '../bed/database.ts'
import { rowsExamined } from '../due/examined.ts'
import { type Filling, fillSqlite, fillStore } from '../due/fill.ts'
import type { Swept } from '../processes/sweeper.ts'
import type { Sizes } from '../sizes.ts'
import { alternate, median, ratioOf, rounded } from '../statistics.ts'

const MB = 2 ** 20
/** As the sweep pages. */
const PAGE = 500

/** Finding and enqueueing the same number of due accounts among few and among many. */
export async function measureSweep({ rounds, due, sweep }: Sizes) {
  return {
    sqlite: await compare('sqlite', { ...sweep.sqlite, due, rounds }),
    mongo: await compare('mongo', { ...sweep.mongo, due, rounds }),
  }
}

interface Comparison {
  readonly small: number
  readonly large: number
  readonly due: number
  readonly rounds: number
}

/** Null if there is no such store. */
async function compare(store: StoreName, { small, large, due, rounds }: Comparison) {
  await using few = await openSwept(store, { count: small, due, now: Date.now() })
  await using many = await openSwept(store, { count: large, due, now: Date.now() })
  if (few === null || many === null) return null
  const measured = await alternate(rounds, many.sweep, few.sweep)
  const side = async (swept: OpenSwept, times: readonly number[]) => ({
    accounts: swept.accounts,
    rowsExamined: await expectOnlyDue(swept, due),
    ms: rounded(median(times)),
    peakMb: rounded(swept.peakMb()),
  })
  return {
    ratio: rounded(ratioOf(measured)),
    rowsDue: due,
    small: await side(few, measured.floor),
    large: await side(many, measured.ours),
  }
}

/** As many rows as are due; the merge of the statuses looks one row ahead at the end of each full page. */
async function expectOnlyDue(swept: OpenSwept, due: number): Promise<number | null> {
  const rows = await swept.rowsExamined()
  const fullPages = Math.floor(due / PAGE)
  if (rows !== null && rows > due + fullPages) throw new Error(`${rows} rows were examined for ${due} that are due`)
  return rows
}

interface OpenSwept extends AsyncDisposable {
  readonly accounts: number
  /** Sweeps once, in a process of its own, into an empty queue; how long that took (ms). */
  readonly sweep: () => Promise<number>
  rowsExamined(): Promise<number | null>
  peakMb(): number
}

async function openSwept(store: StoreName, filling: Filling): Promise<OpenSwept | null> {
  const bed = await openBed({ store })
  if (bed === null) return null
  const { accounts } = bed.context.store
  if (store === 'sqlite') await fillSqlite(bed.databaseUrl.replace('sqlite:', ''), accounts, filling)
  else await fillStore(accounts, filling)
  const sweeper = await bed.startSweeper()
  let peakBytes = 0
  return {
    accounts: filling.count,
    async sweep() {
      const answer = new Promise<Swept>((resolve) =>
        sweeper.child.once('message', resolve as (message: unknown) => void),
      )
      sweeper.child.send('sweep')
      const { ms, swept, peakBytes: bytes } = await answer
      await expectEnqueued(bed, swept, filling.due)
      peakBytes = bytes
      return ms
    },
    rowsExamined: () => examinedInPages(bed.databaseUrl, accounts, filling.now),
    peakMb: () => peakBytes / MB,
    [Symbol.asyncDispose]: () => bed[Symbol.asyncDispose](),
  }
}

async function expectEnqueued({ deps }: Bed, swept: number, due: number): Promise<void> {
  const enqueued = await deps.queues.refresh.count()
  if (swept !== due || enqueued !== due) throw new Error(`${due} are due; ${swept} swept, ${enqueued} enqueued`)
  await deps.queues.refresh.drain(true)
}

/** By all the queries of a sweep. */
async function examinedInPages(url: string, accounts: Store['accounts'], before: number): Promise<number | null> {
  let examined = 0
  let after: DueAccount | null = null
  while (true) {
    const query: DueQuery = {
      platform: 'bluesky',
      statusIn: ['active', 'needs_action', 'quarantined'],
      before,
      after,
      limit: PAGE,
    }
    const rows = await rowsExamined(url, query)
    if (rows === null) return null
    examined += rows
    const page: DueAccount[] = await accounts.due(query)
    if (page.length < PAGE) return examined
    after = page.at(-1)!
  }
}
