import { mongo } from 'mongoose'
import type { DocumentId } from './codec.ts'

export const DUPLICATE_KEY = 11000

/**
 * The operations of a bulk write in the order of their ids. MongoDB does not mind the order; a server that carries out
 * a bulk write as one transaction would deadlock with one of another process that has another order.
 */
export function inIdOrder<T>(operations: readonly T[], idOf: (operation: T) => DocumentId): T[] {
  return operations
    .map((operation) => ({ operation, id: String(idOf(operation)) }))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map(({ operation }) => operation)
}

/** Of one write: its id or another unique key is taken. */
export function isDuplicate(error: unknown): boolean {
  return error instanceof mongo.MongoServerError && error.code === DUPLICATE_KEY
}

/** Why single writes of a bulk write failed. Throws the error again if it tells of anything else. */
export function failuresOf(error: unknown): mongo.WriteError[] {
  if (!(error instanceof mongo.MongoBulkWriteError)) throw error
  const failures = [error.writeErrors].flat()
  // A lost connection comes as a bulk write error too, without any failures.
  if (failures.length === 0 || causeOf(error) || error.result.getWriteConcernError()) throw error
  return failures
}

/** What the driver wrapped in a bulk write error, if it is not the server's word on single writes. */
export function causeOf(error: mongo.MongoBulkWriteError): Error | null {
  const cause: unknown = error.errorResponse
  return cause instanceof Error ? cause : null
}
