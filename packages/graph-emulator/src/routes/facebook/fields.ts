import { GraphError } from '../../errors/graph-error.ts'

/** Field → what is asked of it in braces, or undefined. */
export type Fields = ReadonlyMap<string, string | undefined>

/** `id,name,instagram_business_account{id,username}`. @throws GraphError if braces do not match */
export function parseFields(text: string): Fields {
  const fields = new Map<string, string | undefined>()
  for (const part of splitOutside(text)) {
    const [, name, inner] = /^(\w+)(?:\{(.*)\})?$/s.exec(part.trim()) ?? []
    if (name === undefined) throw new GraphError('invalid_parameter', { what: `Syntax error in fields: ${part}` })
    fields.set(name, inner)
  }
  return fields
}

/**
 * The fields that were asked for, and the id. A field without a value is left out, as Meta does.
 * @throws GraphError for a field that the type has not
 */
export function pickFields(
  type: string,
  node: Readonly<Record<string, unknown>>,
  asked: string | undefined,
  defaults: readonly string[],
): Record<string, unknown> {
  const fields =
    asked === undefined || asked === '' ? new Map(defaults.map((name) => [name, undefined])) : parseFields(asked)
  const picked: Record<string, unknown> = {}
  for (const [name, inner] of fields) {
    if (!(name in node)) {
      throw new GraphError('invalid_parameter', {
        what: `Tried accessing nonexisting field (${name}) on node type (${type})`,
      })
    }
    const value = node[name]
    if (value === undefined) continue
    picked[name] = inner === undefined ? value : pickFields(name, value as Record<string, unknown>, inner, [])
  }
  if ('id' in node) picked.id = node.id
  return picked
}

function splitOutside(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '{') depth += 1
    else if (text[at] === '}') depth -= 1
    else if (text[at] === ',' && depth === 0) {
      parts.push(text.slice(start, at))
      start = at + 1
    }
  }
  parts.push(text.slice(start))
  return parts.filter((part) => part.trim() !== '')
}
