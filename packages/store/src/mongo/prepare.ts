import { type Clock, CodedError } from '@tokenkeeper/core'
import type { mongo, Schema } from 'mongoose'
import { isDuplicate } from './bulk.ts'
import type { Connection } from './connection.ts'
import { isConflict } from './errors.ts'
import { SCHEMAS } from './schemas.ts'

/** Raised with every change of the schemas, so that their validators are renewed once. */
export const SCHEMA_VERSION = 4
const NAMESPACE_EXISTS = 48
const TRIES = 20
const PAUSE_MS = 100

interface Meta {
  readonly _id: string
  readonly version?: number
  readonly at?: Date
}

/** What is known of the database itself: the version of its schema, and when it was last pinged. */
function metaOf(db: mongo.Db): mongo.Collection<Meta> {
  return db.collection<Meta>('meta')
}

/** Has Tokenkeeper made this database before? */
export async function isThere({ call }: Connection): Promise<boolean> {
  return (await call((db) => metaOf(db).findOne({ _id: 'schema' }))) !== null
}

/** Throws STORE_OUTDATED or STORE_TOO_NEW if another version made the database. */
export async function assertCurrent(connection: Connection): Promise<void> {
  if ((await versionOf(connection)) < SCHEMA_VERSION) throw new CodedError('STORE_OUTDATED')
}

/** Throws STORE_TOO_NEW. */
async function versionOf({ call }: Connection): Promise<number> {
  const version = (await call((db) => metaOf(db).findOne({ _id: 'schema' })))?.version ?? 0
  if (version <= SCHEMA_VERSION) return version
  throw new CodedError('STORE_TOO_NEW', { internal: `schema ${version}, known ${SCHEMA_VERSION}` })
}

/**
 * Makes collections, validators and indexes where they are not there yet. Several processes may do so at once: of two
 * that meet, the server may turn one away, which then does again what is left. Throws STORE_TOO_NEW if a newer version
 * made the database.
 */
export async function prepare(connection: Connection, clock: Clock): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await prepareOnce(connection)
    } catch (error) {
      if (!isConflict(error) || tries === TRIES) throw error
      await clock.sleep(PAUSE_MS * (0.5 + Math.random()))
    }
  }
}

async function prepareOnce(connection: Connection): Promise<void> {
  const { call } = connection
  const version = await versionOf(connection)
  if (version < SCHEMA_VERSION) await Promise.all(SCHEMAS.map((schema) => call((db) => setValidator(db, schema))))
  await Promise.all(SCHEMAS.map((schema) => call((db) => createIndexes(db, schema))))
  if (version > 0 && version < 4) {
    await call(listPlatformsOfRuns)
    await call(removeMarkers)
  }
  if (version < SCHEMA_VERSION) await call((db) => upsertMeta(db, 'schema', { $max: { version: SCHEMA_VERSION } }))
}

/** Before version 4 a run was of one platform, or of all. */
async function listPlatformsOfRuns(db: mongo.Db): Promise<void> {
  await db
    .collection('runs')
    .updateMany({ 'filter.platform': { $type: 'string' } }, [
      { $set: { 'filter.platforms': ['$filter.platform'] } },
      { $unset: 'filter.platform' },
    ])
}

/** What was last taken stands in the schedule since version 4. */
async function removeMarkers(db: mongo.Db): Promise<void> {
  await db.collection('runs').deleteMany({ occurrence: 'first-seen' })
}

/** Of two that make the document at once, one may be told that it is there already. */
export async function upsertMeta(db: mongo.Db, id: string, update: mongo.UpdateFilter<Meta>): Promise<void> {
  try {
    await metaOf(db).updateOne({ _id: id }, update, { upsert: true })
  } catch (error) {
    if (!isDuplicate(error)) throw error
  }
}

function nameOf(schema: Schema): string {
  return schema.get('collection')!
}

/** By collMod, which also serves a collection that is there; not every server heeds a validator at creation. */
async function setValidator(db: mongo.Db, schema: Schema): Promise<void> {
  await db.createCollection(nameOf(schema)).catch((error) => {
    if (error?.code !== NAMESPACE_EXISTS) throw error
  })
  await db.command({ collMod: nameOf(schema), validator: { $jsonSchema: jsonSchemaOf(schema) } })
}

/** Not every server knows the alias `number`. */
function jsonSchemaOf(schema: Schema): mongo.BSON.Document {
  const json = JSON.stringify(schema.toJSONSchema({ useBsonType: true }), (key, value) =>
    key === 'bsonType'
      ? [value].flat().flatMap((type) => (type === 'number' ? ['int', 'long', 'double'] : type))
      : value,
  )
  return { bsonType: 'object', ...JSON.parse(json) }
}

async function createIndexes(db: mongo.Db, schema: Schema): Promise<void> {
  const indexes = schema.indexes().map(([key, { background: _, ...options }]) => ({ key, ...options }))
  if (indexes.length > 0) await db.collection(nameOf(schema)).createIndexes(indexes as mongo.IndexDescription[])
}
