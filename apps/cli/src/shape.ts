import { z } from 'zod'

interface JsonSchema {
  readonly type?: string
  readonly format?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
  readonly items?: JsonSchema
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: JsonSchema | boolean
  readonly description?: string
}

/** A schema in the notation of TypeScript, which its readers know. */
export function shapeOf(schema: z.ZodType): string {
  return shapeOfJson(z.toJSONSchema(schema) as JsonSchema)
}

function shapeOfJson(schema: JsonSchema, indent = ''): string {
  const variants = schema.anyOf ?? schema.oneOf
  if (variants) return variants.map((variant) => shapeOfJson(variant, indent)).join(' | ')
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ')
  if (schema.type === 'array') return `Array<${shapeOfJson(schema.items ?? {}, indent)}>`
  if (schema.type === 'object') return objectShape(schema, indent)
  if (schema.format === 'date-time') return 'Time'
  return schema.type === 'integer' ? 'number' : (schema.type ?? 'unknown')
}

function objectShape({ properties, required = [], additionalProperties }: JsonSchema, indent: string): string {
  if (!properties) {
    const values = typeof additionalProperties === 'object' ? shapeOfJson(additionalProperties, indent) : 'unknown'
    return `Record<string, ${values}>`
  }
  const inner = `${indent}  `
  const fields = Object.entries(properties).map(([name, field]) => {
    const mark = required.includes(name) ? '' : '?'
    const comment = field.description ? `  // ${field.description}` : ''
    return `${inner}${name}${mark}: ${shapeOfJson(field, inner)}${comment}`
  })
  return `{\n${fields.join('\n')}\n${indent}}`
}
