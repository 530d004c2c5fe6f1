import type { Account } from '@tokenkeeper/core'
import type { mongo } from 'mongoose'
import type { Change } from '../write.ts'
import { createCodec, type StoredDocument } from './codec.ts'
import { accountSchema } from './schemas.ts'

export const accountCodec = createCodec<Account>(accountSchema)

/** Values go as literals: a text may begin with `$`. */
export const literal = (value: unknown): mongo.BSON.Document => ({ $literal: value })

/** The change as the fields of a `$set`, whose expressions see the document as it was. */
export function changedFields(change: Change): mongo.BSON.Document {
  const fields: mongo.BSON.Document = {}
  for (const [name, value] of Object.entries(change.set ?? {})) {
    const field = name as keyof Account
    if (value !== undefined) fields[field] = literal(accountCodec.encode(field, value))
  }
  if (change.leaseUntil !== undefined) {
    const renewed = { $mergeObjects: ['$attempt', literal({ leaseUntil: new Date(change.leaseUntil) })] }
    fields.attempt = { $cond: [{ $eq: [{ $type: '$attempt' }, 'object'] }, renewed, '$attempt'] }
  }
  const moves = Object.entries(change.status ?? {})
  if (moves.length > 0) {
    fields.status = moves.reduce<unknown>(
      (otherwise, [from, to]) => ({ $cond: [{ $eq: ['$status', literal(from)] }, literal(to), otherwise] }),
      '$status',
    )
  }
  if (change.keepPrevious) {
    fields.previousCredential = '$sealedCredential'
    fields.previousKeyId = '$keyId'
  }
  if (change.tell && change.tell.length > 0) fields.outbox = { $concatArrays: ['$outbox', literal(change.tell)] }
  return fields
}

/** The outbox without the items of these ids, as a field of a `$set`. */
export function pulledFields(itemIds: readonly string[]): mongo.BSON.Document {
  const kept = { $not: [{ $in: ['$$item.id', literal(itemIds)] }] }
  return { outbox: { $filter: { input: '$outbox', as: 'item', cond: kept } } }
}

/** Statuses in which a standing attempt is not for taking over. */
const LEFT_ALONE: readonly string[] = ['quarantined', 'removing']

/**
 * What a document holds beside the account, so that a plain index finds it: `takeoverAt`, when its attempt may be taken
 * over, and `outboxId`, its own id while its outbox is not empty. As a stage at the end of every update, and…
 */
export const INDEXED_FIELDS_STAGE: mongo.BSON.Document = {
  $set: {
    takeoverAt: {
      $cond: [
        { $in: ['$status', LEFT_ALONE] },
        '$$REMOVE',
        {
          $ifNull: [
            { $cond: [{ $eq: ['$attempt.state', 'live'] }, '$attempt.leaseUntil', '$attempt.notBefore'] },
            '$$REMOVE',
          ],
        },
      ],
    },
    outboxId: { $cond: [{ $eq: ['$outbox', []] }, '$$REMOVE', '$_id'] },
  },
}

/** … for a document to be inserted. */
export function toAccountDocument(account: Account): StoredDocument {
  const document = accountCodec.toDocument(account)
  const { attempt, status, outbox } = account
  if (attempt && !LEFT_ALONE.includes(status))
    document.takeoverAt = new Date(attempt.state === 'live' ? attempt.leaseUntil : attempt.notBefore)
  if (outbox.length > 0) document.outboxId = document._id
  return document
}
