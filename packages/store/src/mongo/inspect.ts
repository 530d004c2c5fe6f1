import { CodedError, systemClock } from '@tokenkeeper/core'
import type { mongo } from 'mongoose'
import type { StoreInspection } from '../inspect.ts'
import { createConnection } from './connection.ts'
import { isThere, SCHEMA_VERSION } from './prepare.ts'
import { SCHEMAS } from './schemas.ts'

interface Hello {
  readonly hosts?: readonly string[]
}

interface BuildInfo {
  readonly version: string
}

/** See inspectStore. */
export async function inspectMongo(url: string): Promise<StoreInspection> {
  const connection = createConnection(url, systemClock)
  try {
    if (!(await isThere(connection))) throw new CodedError('STORE_NOT_FOUND')
    return await connection.run(inspect)
  } finally {
    await connection.close()
  }
}

async function inspect(db: mongo.Db): Promise<StoreInspection> {
  const meta = db.collection<{ _id: string; version?: number }>('meta')
  // Matches nothing: whoever may not write, or is no primary, says so.
  await meta.updateOne({ _id: 'nothing of this name' }, { $set: { version: 0 } })
  const { version } = (await db.command({ buildInfo: 1 })) as unknown as BuildInfo
  const { hosts } = (await db.command({ hello: 1 })) as unknown as Hello
  return {
    kind: 'mongodb',
    version,
    schema: { found: (await meta.findOne({ _id: 'schema' }))?.version ?? 0, known: SCHEMA_VERSION },
    missingIndexes: await missingIndexes(db),
    // Each write of ours asks for a majority and its journal, and fails where that is not given.
    notDurable: (await isDurable(db)) ? null : 'its storage engine keeps nothing on disk',
    copies: hosts?.length ?? 1,
  }
}

async function missingIndexes(db: mongo.Db): Promise<string[]> {
  const missing: string[] = []
  for (const schema of SCHEMAS) {
    const name = schema.get('collection')!
    const wanted = schema.indexes().map(([, options]) => String(options.name))
    const there = await db
      .collection(name)
      .indexes()
      .catch(() => [])
    const names = there.map((index) => index.name)
    missing.push(...wanted.filter((index) => !names.includes(index)).map((index) => `${name}.${index}`))
  }
  return missing
}

/** Where it is not told, it is taken for granted: only MongoDB's own in-memory engine is another. */
async function isDurable(db: mongo.Db): Promise<boolean> {
  const status = await db.command({ serverStatus: 1, storageEngine: 1 }).catch(() => null)
  return status?.storageEngine?.persistent !== false
}
