/** Where operators and users work: what the API and the command line do, on order, several things at once. */
import { type AppContext, runUntilSignal } from '@tokenkeeper/context'
import { CodedError, toCodedError } from '@tokenkeeper/core'
import { enqueueRefresh } from '@tokenkeeper/queue'
import { openWatchedContext } from './open.ts'
import type { Action, Order, TaskDone } from './orders.ts'

const ACTOR = 'chaos'

async function act(context: AppContext, action: Action): Promise<string | null> {
  const { engine } = context
  switch (action.name) {
    case 'pause':
      await engine.pauseAccount(action.accountId, ACTOR)
      break
    case 'resume':
      await engine.resumeAccount(action.accountId, ACTOR)
      break
    case 'remove':
      await engine.removeAccount(action.accountId, ACTOR)
      break
    case 'reseal':
      await engine.resealAccount(action.accountId)
      break
    case 'refresh':
      await refresh(context, action.accountId)
      break
    case 'connect':
      return (await engine.connectAccount(action.login, { ownerId: 'owner', actor: ACTOR })).id
  }
  return null
}

async function refresh(context: AppContext, accountId: string): Promise<void> {
  const account = await context.store.accounts.get(accountId)
  if (!account) throw new CodedError('ACCOUNT_NOT_FOUND')
  const { queues, clock } = await context.connectRedis()
  await enqueueRefresh(queues.refreshNow, [account], { type: 'manual', force: true, first: true, clock })
}

await runUntilSignal(async (stack) => {
  const context = stack.use(await openWatchedContext())
  process.on('message', async (order: Order) => {
    if (order.kind !== 'task') return
    const done = (accountId: string | null, failed: string | null): TaskDone => ({
      kind: 'done',
      id: order.id,
      failed,
      accountId,
    })
    process.send?.(
      await act(context, order.action).then(
        (accountId) => done(accountId, null),
        (error: unknown) => done(null, toCodedError(error).code),
      ),
    )
  })
})
