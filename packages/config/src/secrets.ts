import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import type { ConfigProblem } from './config-error.ts'

const HIDDEN = '[secret]'

/** A secret that does not show itself when printed, logged or serialized. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  reveal(): string {
    return this.#value
  }

  toString(): string {
    return HIDDEN
  }

  toJSON(): string {
    return HIDDEN
  }

  [inspect.custom](): string {
    return HIDDEN
  }
}

/** What the variable for the file of a secret is called. */
export function fileVariable(name: string): string {
  return `${name}_FILE`
}

/** The text of a secret, from its variable or from the file that `<name>_FILE` names; undefined if neither is set. */
export function readSecret(
  name: string,
  given: (variable: string) => string | undefined,
  problem: (problem: ConfigProblem) => void,
): string | undefined {
  const variable = fileVariable(name)
  const file = given(variable)
  if (file === undefined) return given(name)
  if (given(name) !== undefined) {
    problem({ variable, message: `and ${name} are both set: remove one of them` })
    return undefined
  }
  try {
    const content = readFileSync(file, 'utf8').trim()
    if (content !== '') return content
    problem({ variable, message: 'names an empty file: write the secret into it' })
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    problem({ variable, message: `names a file that cannot be read (${reason}): check path and permissions` })
  }
  return undefined
}
