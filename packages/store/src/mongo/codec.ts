import { isId } from '@tokenkeeper/core'
import { mongo, type Schema, type SchemaType } from 'mongoose'

export type DocumentId = mongo.ObjectId | string
export type StoredDocument = mongo.BSON.Document & { readonly _id: DocumentId }
export type StoredCollection = mongo.Collection<StoredDocument>
/** What a query goes through, so that tests can have it explained. */
export type Found = mongo.FindCursor<mongo.WithId<StoredDocument>>

/** Between an entity as the domain has it (id, times in ms) and its document (_id, dates, ObjectIds). */
export interface Codec<T> {
  toDocument(entity: T): StoredDocument
  /** One field's value as its document has it. */
  encode(field: keyof T & string, value: unknown): unknown
  /** Drops what the document holds beside the entity's fields. */
  fromDocument(document: mongo.BSON.Document): T
}

/** 24 hex digits become an ObjectId; anything else stays, and finds nothing where ids are ObjectIds. */
export function toId(id: string): DocumentId {
  return isId(id) ? new mongo.ObjectId(id) : id
}

/** No ObjectId comes before it. */
export const LEAST_ID = new mongo.ObjectId('0'.repeat(24))

type Encode = (value: unknown) => unknown

export function createCodec<T extends { id: string }>(schema: Schema): Codec<T> {
  const encoders = encodersOf(schema)
  const fields = [...encoders.keys()].filter((field) => field !== '_id')
  // A document that an earlier version wrote lacks what was added since.
  const isList = (field: string) => schema.path(field).instance === 'Array'
  const encode = (field: string, value: unknown) => encodeField(encoders, field, value)
  return {
    toDocument({ id, ...entity }) {
      return { _id: toId(id), ...encodeAll(encoders, entity) }
    },
    encode,
    fromDocument(document) {
      const entity: Record<string, unknown> = { id: decode(document._id) }
      for (const field of fields) entity[field] = decode(document[field] ?? (isList(field) ? [] : null))
      return entity as T
    },
  }
}

function encodersOf(schema: Schema): Map<string, Encode> {
  const encoders = new Map<string, Encode>()
  schema.eachPath((path, type) => void encoders.set(path, encoderOf(type)))
  return encoders
}

function encoderOf(type: SchemaType & { readonly schema?: Schema }): Encode {
  if (type.instance === 'Date') return (value) => new Date(value as number)
  if (type.instance === 'ObjectId' || type.options.ref) return (value) => toId(value as string)
  if (type.schema) {
    const encoders = encodersOf(type.schema)
    return (value) => encodeAll(encoders, value as object)
  }
  return (value) => value
}

function encodeAll(encoders: ReadonlyMap<string, Encode>, value: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).map(([field, part]) => [field, encodeField(encoders, field, part)]))
}

function encodeField(encoders: ReadonlyMap<string, Encode>, field: string, value: unknown): unknown {
  const encode = encoders.get(field)
  if (!encode) throw new TypeError(`The schema has no field ${field}`)
  return value === null || value === undefined ? null : encode(value)
}

function decode(value: unknown): unknown {
  if (value instanceof Date) return value.getTime()
  if (value instanceof mongo.ObjectId) return value.toHexString()
  if (Array.isArray(value)) return value.map(decode)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, decode(part)]))
}
