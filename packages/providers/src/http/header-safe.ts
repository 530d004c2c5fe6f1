import { z } from 'zod'

/** A token that can be sent back in a header. */
export const headerSafe = z.string().regex(/^[\x21-\x7e]+$/)
