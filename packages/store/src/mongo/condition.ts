import type { mongo } from 'mongoose'
import type { Condition } from '../write.ts'
import { accountCodec } from './change.ts'

/** The condition as the terms of a filter. */
export function conditionTerms(when: Condition): mongo.BSON.Document[] {
  const terms: mongo.BSON.Document[] = []
  const add = (value: unknown, term: mongo.BSON.Document) => {
    if (value !== undefined) terms.push(term)
  }
  add(when.generation, { generation: when.generation })
  add(when.generationBelow, { generation: { $lt: when.generationBelow } })
  add(when.attemptId, when.attemptId === null ? { attempt: null } : { 'attempt.id': when.attemptId })
  add(when.attemptState, { 'attempt.state': when.attemptState })
  add(when.attemptLeaseUntil, { 'attempt.leaseUntil': new Date(when.attemptLeaseUntil ?? 0) })
  add(when.statusIn, { status: { $in: when.statusIn } })
  add(when.statusNot, { status: { $ne: when.statusNot } })
  add(when.connectId, { connectId: when.connectId })
  add(when.connectIdNot, { connectId: { $ne: when.connectIdNot } })
  add(when.sealedCredential, { sealedCredential: when.sealedCredential })
  add(when.previousCredential, { previousCredential: when.previousCredential })
  add(when.pagesDueAt, { pagesDueAt: accountCodec.encode('pagesDueAt', when.pagesDueAt) })
  return terms
}
