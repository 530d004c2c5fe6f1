import { roleAllows } from '@tokenkeeper/core'
import { scrubEntry } from '@tokenkeeper/telemetry'
import type { Principal } from '../auth/principal.ts'

/**
 * All that Bull Board shows passes here: job data, results, reasons of failures, stack traces, logs, templates of
 * schedules. What looks like a secret is cut out, wherever in Redis it came from. Buttons are for those who may use them.
 */
export function redact(payload: unknown, principal: Principal | null): unknown {
  const shown = scrubEntry(payload)
  const mayAct = principal !== null && roleAllows(principal.role, 'operator')
  return hasQueues(shown) ? { ...shown, queues: shown.queues.map((queue) => withButtons(queue, mayAct)) } : shown
}

function hasQueues(body: unknown): body is { readonly queues: readonly object[] } {
  return typeof body === 'object' && body !== null && 'queues' in body && Array.isArray(body.queues)
}

function withButtons(queue: object, mayAct: boolean): object {
  return { ...queue, readOnlyMode: !mayAct, allowRetries: mayAct, allowCompletedRetries: false }
}
