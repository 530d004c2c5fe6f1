import { FIELDS, type Field, type Mapping } from './fields.ts'

type Fields = Readonly<Record<string, unknown>>

/** The fields of a line under our names. What is empty is left out. */
export function mapFields(line: Fields, mapping: Mapping): Partial<Record<Field, unknown>> {
  const found = FIELDS.map((field) => {
    const place = mapping[field]
    const mapped = place?.kind === 'constant' ? place.value : place && valueAt(line, place.path)
    return [field, plain(mapped ?? own(line, field))] as const
  })
  return Object.fromEntries(found.filter(([, value]) => value !== undefined && value !== null && value !== ''))
}

/** A field of just this name; else the way along the dots, also into JSON that is kept as text. */
function valueAt(line: Fields, path: string): unknown {
  const whole = own(line, path)
  if (whole !== undefined || !path.includes('.')) return whole
  return path.split('.').reduce<unknown>((value, name) => own(parsed(value), name), line)
}

function own(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return (value as Fields)[name]
}

function parsed(value: unknown): unknown {
  if (typeof value !== 'string') return value
  try {
    return JSON.parse(value)
  } catch {
    return undefined
  }
}

/** What a MongoDB driver, or its JSON (`{"$date": …}`), wraps a plain value in. */
const WRAPPERS = ['$oid', '$date', '$numberLong', '$numberInt', '$numberDouble']

function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Date || Array.isArray(value)) return value
  const [name, ...others] = Object.keys(value)
  if (name !== undefined && others.length === 0 && WRAPPERS.includes(name)) return plain(own(value, name))
  // An ObjectId, a Long, a Decimal128.
  return '_bsontype' in value ? String(value) : value
}
