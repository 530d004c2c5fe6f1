import { PLATFORMS } from '@tokenkeeper/core'
import { z } from 'zod'

/** Forms that the JSON of several commands shares. */
export const id = z.string().regex(/^[0-9a-f]{24}$/)
/** ISO 8601 in UTC. */
export const time = z.iso.datetime({ precision: 3 })
export const timeOrNull = time.nullable()
export const platform = z.enum(PLATFORMS)
export const count = z.int().min(0)
