import { CodedError, SECOND } from '@tokenkeeper/core'
import { type Document, MongoClient } from 'mongodb'
import type { Rows } from './row.ts'

const BATCH = 500

/**
 * The documents of a collection by their ids; nothing is written there. Throws INVALID_REQUEST or, for whatever the
 * server or the driver says, IMPORT_SOURCE_UNREADABLE: their words may repeat the address and its password.
 */
export async function* mongoRows(url: string, collection: string): Rows {
  if (!/^mongodb(\+srv)?:\/\/[^/]+\/[^/?]+/.test(url)) {
    throw new CodedError('INVALID_REQUEST', { publicMessage: '--from must be mongodb://HOST/DATABASE.' })
  }
  await using client = connect(url)
  let line = 0
  for await (const document of reported(client.db().collection(collection))) {
    line++
    yield { line, fields: document }
  }
  if (line === 0) {
    throw new CodedError('IMPORT_SOURCE_UNREADABLE', { publicMessage: 'The collection holds nothing: check --from.' })
  }
}

function connect(url: string): MongoClient {
  try {
    return new MongoClient(url, { serverSelectionTimeoutMS: 5 * SECOND, appName: 'tokenkeeper import' })
  } catch (error) {
    throw unreadable(error)
  }
}

async function* reported(
  collection: ReturnType<ReturnType<MongoClient['db']>['collection']>,
): AsyncGenerator<Document> {
  try {
    yield* collection.find({}, { batchSize: BATCH, sort: { _id: 1 } })
  } catch (error) {
    throw unreadable(error)
  }
}

function unreadable(cause: unknown): CodedError {
  return new CodedError('IMPORT_SOURCE_UNREADABLE', {
    publicMessage: 'The MongoDB cannot be reached or read: check the address of --from, its user and password.',
    cause,
  })
}
