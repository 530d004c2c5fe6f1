import { CodedError } from '@tokenkeeper/core'

/** That an id which somebody typed is no account's, and where to look for it. */
export function accountNotFound(): CodedError {
  return new CodedError('ACCOUNT_NOT_FOUND', {
    publicMessage:
      'There is no account of this id. `pnpm tokenkeeper accounts list` shows those there are; the sandbox has its own (`--sandbox`).',
  })
}
