import { CodedError, type ErrorDetails } from '@tokenkeeper/core'
import { mongo } from 'mongoose'
import { causeOf } from './bulk.ts'

/** Unauthorized, AuthenticationFailed, and a hosted service's own word for the latter. */
const REFUSED = new Set([13, 18, 8000])
/** NotWritablePrimary, NotPrimaryNoSecondaryOk, NotPrimaryOrSecondary, its old form, PrimarySteppedDown. */
const NOT_WRITABLE = new Set([10107, 13435, 13436, 10058, 189])
/** HostUnreachable, HostNotFound, MaxTimeMSExpired, NetworkTimeout, WriteConcernFailed, ShutdownInProgress,
 * UnsatisfiableWriteConcern, ExceededTimeLimit, SocketException, InterruptedAtShutdown, Interrupted,
 * InterruptedDueToReplStateChange, OutOfDiskSpace. */
const UNAVAILABLE = new Set([6, 7, 50, 89, 64, 91, 100, 262, 9001, 11600, 11601, 11602, 14031])

/** WriteConflict, ConflictingOperationInProgress, BackgroundOperationInProgressForNamespace. */
const CONFLICTS = new Set([112, 117, 12587])

/** The driver's words for a connection that was closed meanwhile, or that could not be had. Not all are exported. */
const CUT_OFF = new Set([
  'MongoClientClosedError',
  'MongoExpiredSessionError',
  'MongoNotConnectedError',
  'MongoPoolClosedError',
  'MongoServerClosedError',
  'MongoStalePrimaryError',
  'MongoTopologyClosedError',
  'MongoWaitQueueTimeoutError',
])

const NOT_WRITABLE_TEXT = 'The database answers but takes no writes now: it has no primary, or is read-only.'

/** An error of the server on a bulk write holds the documents that were sent: it goes no further. */
function detailsOf(error: unknown): ErrorDetails {
  if (!(error instanceof Error)) return { internal: String(error) }
  return { internal: error.message, ...(!(error instanceof mongo.MongoBulkWriteError) && { cause: error }) }
}

function codeOf(error: unknown): number | null {
  return error instanceof mongo.MongoError && typeof error.code === 'number' ? error.code : null
}

/**
 * STORE_UNAVAILABLE, STORE_TOO_OLD, STORE_REFUSED or, for a mistake of ours, INTERNAL. Whatever it is, it does not say
 * whether a write was applied.
 */
export function toStoreError(error: unknown): CodedError {
  if (error instanceof CodedError) return error
  const details = detailsOf(error)
  if (error instanceof mongo.MongoBulkWriteError) {
    const cause = causeOf(error)
    if (cause) return toStoreError(cause)
  }
  const code = codeOf(error)
  if (isTooOld(error)) return new CodedError('STORE_TOO_OLD', details)
  if (code !== null && REFUSED.has(code)) return new CodedError('STORE_REFUSED', details)
  if ((code !== null && NOT_WRITABLE.has(code)) || hasNoPrimary(error))
    return new CodedError('STORE_UNAVAILABLE', { ...details, publicMessage: NOT_WRITABLE_TEXT })
  if ((code !== null && UNAVAILABLE.has(code)) || isConnectionError(error))
    return new CodedError('STORE_UNAVAILABLE', details)
  return new CodedError('INTERNAL', details)
}

/** Another process changed the same collection at that time. DocumentDB has no code for it: it ends one of the two. */
export function isConflict(error: unknown): boolean {
  const cause = error instanceof CodedError ? error.cause : error
  if (!(cause instanceof mongo.MongoServerError)) return false
  return CONFLICTS.has(Number(cause.code)) || isDeadlock(cause.message)
}

/** DocumentDB's words for what it ended, without an effect, for the sake of another process. */
export function isDeadlock(message: string | undefined): boolean {
  return message?.includes('deadlock detected') ?? false
}

function isConnectionError(error: unknown): boolean {
  return (
    error instanceof mongo.MongoNetworkError ||
    error instanceof mongo.MongoSystemError ||
    error instanceof mongo.MongoWriteConcernError ||
    (error instanceof mongo.MongoError && (CUT_OFF.has(error.name) || error.hasErrorLabel('RetryableWriteError'))) ||
    (error instanceof Error && 'syscall' in error)
  )
}

function isTooOld(error: unknown): boolean {
  if (error instanceof mongo.MongoCompatibilityError) return true
  const topology = topologyOf(error)
  if (!topology) return false
  return (
    topology.compatibilityError !== undefined ||
    [...topology.servers.values()].some((server) => server.error instanceof mongo.MongoCompatibilityError)
  )
}

/** Members of a replica set were heard, but none takes writes. */
function hasNoPrimary(error: unknown): boolean {
  const servers = topologyOf(error)?.servers.values() ?? []
  return [...servers].some(({ type }) => ['RSSecondary', 'RSOther', 'RSArbiter', 'RSGhost'].includes(type))
}

/** What the driver knew of the servers when it found none to ask. */
function topologyOf(error: unknown): mongo.TopologyDescription | null {
  return error instanceof mongo.MongoServerSelectionError ? (error.reason ?? null) : null
}
