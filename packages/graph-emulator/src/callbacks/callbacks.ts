import type { World } from '../state/world.ts'
import { signRequest } from './signed-request.ts'

const TIMEOUT_MS = 10_000

export type CallbackKind = 'deauthorize' | 'data_deletion'

/** One callback, as far as it has come. */
export interface Delivery {
  readonly kind: CallbackKind
  readonly appId: string
  readonly userId: string
  readonly url: string
  /** Absent while it is under way, and where nobody answered. */
  status?: number
  /** What the app answered to a data deletion: `{url, confirmation_code}`. */
  answer?: unknown
  /** Why nobody answered. */
  error?: string
}

export interface Callbacks {
  /** Posts to the app's address, if it has one; resolves when it was answered or could not be, never rejects. */
  send(kind: CallbackKind, appId: string, userId: string): Promise<Delivery | undefined>
  readonly deliveries: readonly Delivery[]
  /** Resolves when none is under way. */
  settled(): Promise<void>
}

export function createCallbacks(world: World): Callbacks {
  const deliveries: Delivery[] = []
  const underWay = new Set<Promise<unknown>>()
  return {
    deliveries,
    async send(kind, appId, userId) {
      const app = world.apps.get(appId)
      const url = kind === 'deauthorize' ? app?.deauthorizeUrl : app?.dataDeletionUrl
      if (app === undefined || url === undefined) return undefined
      const issued_at = Math.floor(world.now() / 1_000)
      const delivery: Delivery = { kind, appId, userId, url }
      deliveries.push(delivery)
      const posting = post(delivery, signRequest({ user_id: userId, issued_at }, app.secret))
      underWay.add(posting)
      await posting.finally(() => underWay.delete(posting))
      return delivery
    },
    async settled() {
      await Promise.all(underWay)
    },
  }
}

async function post(delivery: Delivery, signedRequest: string): Promise<void> {
  try {
    const response = await fetch(delivery.url, {
      method: 'POST',
      body: new URLSearchParams({ signed_request: signedRequest }),
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    const text = await response.text()
    delivery.status = response.status
    delivery.answer = parse(text)
  } catch (error) {
    delivery.error = (error as Error).message
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
