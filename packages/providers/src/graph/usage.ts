import { MINUTE, SECOND } from '@tokenkeeper/core'
import { z } from 'zod'
import { readRetryAfter } from '../http/retry-after.ts'

/**
 * How much of its budgets Meta says are spent (https://developers.facebook.com/docs/graph-api/overview/rate-limiting).
 * Shares are percents; at 100 Meta throttles. What is absent was not told, which does not mean zero: the headers come
 * only after enough traffic.
 */
export interface Usage {
  /** X-App-Usage: the whole app's rolling hour. */
  readonly app: Share | null
  /** X-Business-Use-Case-Usage: one for each Page, Instagram account or business, and kind of use. */
  readonly assets: readonly AssetUsage[]
  /** X-Ad-Account-Usage. */
  readonly adAccount: { readonly percent: number; readonly resetMs: number } | null
  /** Retry-After, which Meta does not document; ms since the epoch. */
  readonly retryAt: number | null
}

export interface Share {
  readonly calls: number
  readonly time: number
  readonly cpuTime: number
}

export interface AssetUsage extends Share {
  readonly assetId: string
  /** The use case (`pages`, `instagram`). */
  readonly type: string
  /** Until calls are let through again; 0 = they are. */
  readonly regainMs: number
}

const share = z.object({
  call_count: z.number().catch(0),
  total_time: z.number().catch(0),
  total_cputime: z.number().catch(0),
})
const asset = share.extend({ type: z.string().catch(''), estimated_time_to_regain_access: z.number().catch(0) })
const assets = z.record(z.string(), z.array(asset))
const adAccount = z.object({ acc_id_util_pct: z.number(), reset_time_duration: z.number().catch(0) })

/** `headers`: by their names in lower case. Each is read by itself; one that cannot be read counts as absent. */
export function readUsage(headers: Readonly<Record<string, string>>, now: number): Usage {
  const app = read(share, headers['x-app-usage'])
  const account = read(adAccount, headers['x-ad-account-usage'])
  const byAsset = read(assets, headers['x-business-use-case-usage']) ?? {}
  return {
    app: app && toShare(app),
    assets: Object.entries(byAsset).flatMap(([assetId, uses]) =>
      uses.map((use) => ({
        ...toShare(use),
        assetId,
        type: use.type,
        regainMs: use.estimated_time_to_regain_access * MINUTE,
      })),
    ),
    adAccount: account && { percent: account.acc_id_util_pct, resetMs: account.reset_time_duration * SECOND },
    retryAt: readRetryAfter(headers['retry-after'], now),
  }
}

function toShare({ call_count, total_time, total_cputime }: z.infer<typeof share>): Share {
  return { calls: call_count, time: total_time, cpuTime: total_cputime }
}

function read<T>(schema: z.ZodType<T>, header: string | undefined): T | null {
  try {
    return schema.safeParse(JSON.parse(header ?? '')).data ?? null
  } catch {
    return null
  }
}
