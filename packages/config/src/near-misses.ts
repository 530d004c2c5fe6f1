import { fileVariable } from './secrets.ts'
import { variableList } from './variables.ts'

/** Names that are read, `_FILE` variants included. */
const KNOWN = variableList.flatMap(({ name, secret }) => (secret ? [name, fileVariable(name)] : [name]))

/** How much of the longer of two names must agree from the start for a slip of the pen. */
const ALIKE = 0.6

/** A warning for each variable that is not read, but whose name begins much like one that is. */
export function nearMisses(names: readonly string[]): string[] {
  return names.flatMap((name) => {
    if (KNOWN.includes(name)) return []
    const meant = KNOWN.toSorted((a, b) => likeness(name, b) - likeness(name, a))[0]!
    return likeness(name, meant) < ALIKE ? [] : [`${name} is not a setting and is ignored. Is ${meant} meant?`]
  })
}

function likeness(a: string, b: string): number {
  let common = 0
  while (common < a.length && a[common] === b[common]) common++
  return common / Math.max(a.length, b.length)
}
