import { confirm, isCancel } from '@clack/prompts'
import type { AppContext } from '@tokenkeeper/context'
import { type AccountStatus, CodedError, toCodedError } from '@tokenkeeper/core'
import { assertAccountId } from '../accounts/assert-id.ts'
import { openContext } from '../open-context.ts'
import type { Output } from '../output.ts'
import { loadSettings } from '../settings.ts'

interface Options {
  readonly ids: readonly string[]
}

const ACTOR = 'cli'

/** Stops accounts, which stay connected. */
export function pauseAccounts({ ids }: Options, output: Output): Promise<number> {
  return operate(ids, output, 'Paused', async ({ engine }, id) => (await engine.pauseAccount(id, ACTOR)).status)
}

export function resumeAccounts({ ids }: Options, output: Output): Promise<number> {
  return operate(ids, output, 'Resumed', async ({ engine }, id) => (await engine.resumeAccount(id, ACTOR)).status)
}

/** Logs out at the provider and forgets; asks first, since only the user can undo it. */
export async function removeAccounts({ ids, yes }: Options & { readonly yes?: boolean }, output: Output) {
  if (!yes) await askToRemove(ids.length)
  return operate(ids, output, 'Removed, logged out at its host and forgotten:', async ({ engine }, id) => {
    await engine.removeAccount(id, ACTOR)
    return null
  })
}

/** One after the other; what fails for one stops none of the others. 0 if it was done for all. */
async function operate(
  ids: readonly string[],
  output: Output,
  done: string,
  act: (context: AppContext, id: string) => Promise<AccountStatus | null>,
): Promise<number> {
  await using context = await openContext(loadSettings(), output)
  using progress = output.progress('accounts', ids.length)
  const results: object[] = []
  let failed = 0
  for (const id of ids) {
    try {
      assertAccountId(id)
      results.push({ id, status: await act(context, id) })
      output.say(`${done} account ${id}.`)
    } catch (error) {
      const { code, message } = toCodedError(error)
      failed++
      results.push({ id, error: { code, message } })
      process.stderr.write(`${id}: ${code}: ${message}\n`)
    }
    progress.update(results.length)
  }
  output.result({ accounts: results, failed })
  return failed === 0 ? 0 : 1
}

async function askToRemove(count: number): Promise<void> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw new CodedError('INPUT_MISSING', { publicMessage: 'There is no terminal to ask in: give --yes to remove.' })
  }
  const what = count === 1 ? 'this account' : `these ${count} accounts`
  const answer = await confirm({
    message: `Log out and forget ${what}? Only a new login brings ${count === 1 ? 'it' : 'them'} back.`,
    initialValue: false,
  })
  if (isCancel(answer) || !answer) {
    throw new CodedError('INPUT_MISSING', { publicMessage: 'Cancelled; nothing was changed.' })
  }
}
