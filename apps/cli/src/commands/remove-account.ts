import { CodedError, isId } from '@tokenkeeper/core'
import { openContext } from '../open-context.ts'
import type { Output } from '../output.ts'
import { loadSettings } from '../settings.ts'

export async function removeAccount({ id }: { readonly id: string }, output: Output): Promise<number> {
  if (!isId(id)) {
    throw new CodedError('ACCOUNT_NOT_FOUND', {
      publicMessage: 'This is no id of an account (24 hex digits). `pnpm tokenkeeper accounts list` shows them.',
    })
  }
  await using context = await openContext(loadSettings(), output)
  await context.engine.removeAccount(id, 'cli')
  output.say(`Removed account ${id}: logged out at its host and forgotten.`)
  return 0
}
