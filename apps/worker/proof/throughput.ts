/**
 * Refreshes a second, and memory, of 1, 2 and 4 workers on one machine, at a host that answers at once:
 * `pnpm exec node apps/worker/proof/throughput.ts [ACCOUNTS] [DATABASE_URL]`. A MongoDB database gets a name of its own.
 */
import { makeId } from '@tokenkeeper/core'
import { startRun } from '@tokenkeeper/queue'
import { residentBytes, until } from '@tokenkeeper/testkit'
import { createFleet } from './fleet.ts'

const [, , count = '10000', url] = process.argv

for (const workers of [1, 2, 4]) {
  const databaseUrl = url?.startsWith('mongodb') ? url.replace(/\/[^/?]*(\?|$)/, `/throughput_${makeId()}$1`) : url
  await using fleet = await createFleet(Number(count), databaseUrl)
  const { context, deps } = fleet
  for (let i = 0; i < workers; i++) await fleet.spawn().waitForLine(/worker is ready/)
  const begun = performance.now()
  const run = await startRun(deps, { scheduleId: 'throughput', occurrence: 'once', filter: {}, requestedBy: 'cli' })
  let memory = 0
  await until(
    async () => {
      for (const { pid } of fleet.workers) memory = Math.max(memory, await residentBytes(pid))
      return (await context.store.runs.get(run.id))?.finishedAt
    },
    { what: 'the run to finish', timeoutMs: 600_000, everyMs: 100 },
  )
  const seconds = (performance.now() - begun) / 1_000
  const rate = Math.round(Number(count) / seconds)
  console.log(`${workers} workers: ${rate} refreshes/s, at most ${Math.round(memory / 2 ** 20)} MB each`)
}
