import { tell } from './tools.ts'

/**
 * The calls that a unit's SystemCallFilter lines refuse, by what this systemd knows. Only the forms that our units have:
 * one list of what is allowed, then one (~) of what is taken off it again.
 */
export function refusedCalls(unit: string): string[] {
  const groups = knownGroups()
  const expand = (name: string): string[] => (name.startsWith('@') ? groups.get(name)!.flatMap(expand) : [name])
  const named = (line: string) => line.split(' ').flatMap(expand)
  const [allowLine, denyLine] = [...unit.matchAll(/^SystemCallFilter=(.+)$/gm)].map(([, list]) => list!)
  const allowed = new Set(named(`${allowLine} @default`))
  for (const call of named(denyLine!.replace(/^~/, ''))) allowed.delete(call)
  return [...new Set([...groups.keys()].flatMap(expand))].filter((call) => !allowed.has(call))
}

/** By `systemd-analyze syscall-filter`: each group, then its calls and other groups, indented. */
function knownGroups(): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>()
  let members: string[] = []
  for (const line of tell('systemd-analyze', 'syscall-filter').output.split('\n')) {
    if (/^@[\w-]+$/.test(line)) {
      members = []
      groups.set(line, members)
    } else {
      const [, member] = /^ {4}(@?[\w-]+)$/.exec(line) ?? []
      if (member !== undefined) members.push(member)
    }
  }
  return groups
}
