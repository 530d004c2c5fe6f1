import { CodedError } from '@tokenkeeper/core'

export interface ConfigProblem {
  /** The variable that is to be mended, or the file. */
  readonly variable: string
  /** Goes on after the name: `must be …`. Holds no value. */
  readonly message: string
}

/** Everything that is wrong with the configuration, at once. */
export class ConfigError extends CodedError {
  override name = 'ConfigError'
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(({ variable, message }) => `  ${variable} ${message}`)
    super('CONFIG_INVALID', { publicMessage: ['The configuration has mistakes:', ...lines].join('\n') })
    this.problems = problems
  }
}
