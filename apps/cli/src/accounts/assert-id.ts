import { CodedError, isId } from '@tokenkeeper/core'

/** Throws ACCOUNT_NOT_FOUND, which tells where the ids of accounts are seen. */
export function assertAccountId(id: string): void {
  if (isId(id)) return
  throw new CodedError('ACCOUNT_NOT_FOUND', {
    publicMessage: 'This is no id of an account (24 hex digits). `pnpm tokenkeeper accounts list` shows them.',
  })
}
