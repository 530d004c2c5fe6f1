import { CodedError } from '@tokenkeeper/core'

/** The code of the error that an action ends with; fails the test if there is none. */
export async function codeOf(action: () => unknown): Promise<string> {
  try {
    await action()
  } catch (error) {
    if (error instanceof CodedError) return error.code
    throw error
  }
  throw new Error('nothing was thrown')
}
