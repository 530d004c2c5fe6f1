import { API_ROLES } from '@tokenkeeper/core'
import { z } from 'zod'
import { id, time, timeOrNull } from './forms.ts'

const role = z.enum(API_ROLES)

export const apiKeysCreateJson = z.strictObject({ id, name: z.string(), role, key: z.string(), createdAt: time })

export const apiKeysListJson = z.array(
  z.strictObject({ id, name: z.string(), role, createdAt: time, createdBy: z.string(), revokedAt: timeOrNull }),
)

export const apiKeysRevokeJson = z.strictObject({ id, name: z.string(), revoked: z.boolean() })
