import { startScheduler, startWorkers, type WorkerDeps } from '@tokenkeeper/queue'

/** Scheduler and workers in this process. Disposing takes no more jobs and lets refreshes in flight commit. */
export async function startServices(deps: WorkerDeps): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack()
  stack.use(await startWorkers(deps))
  stack.use(await startScheduler(deps))
  const owned = stack.move()
  return { [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
