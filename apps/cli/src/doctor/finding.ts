/** What a check found, in one sentence, and where it is not well how to mend it. */
export interface Finding {
  readonly status: 'ok' | 'warning' | 'failed' | 'skipped'
  readonly says: string
  readonly mend: string | null
}

export function ok(says: string): Finding {
  return { status: 'ok', says, mend: null }
}

/** It could not be looked at, or need not be. */
export function skipped(says: string): Finding {
  return { status: 'skipped', says, mend: null }
}

/** It works, and may not for long, or not as well as it could. */
export function warning(says: string, mend: string): Finding {
  return { status: 'warning', says, mend }
}

export function failed(says: string, mend: string): Finding {
  return { status: 'failed', says, mend }
}
