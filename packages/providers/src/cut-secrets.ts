const MAX_LENGTH = 300

/** A provider's words for the internal log: without secrets, on one line, of bounded length. */
export function cutSecrets(words: string, secrets: readonly string[]): string {
  let text = words
  for (const secret of secrets) if (secret !== '') text = text.replaceAll(secret, '[token]')
  // Every JWT begins with these letters (`{"`), whole or cut off; and parts of a secret may be echoed alone.
  text = text.replace(/[\w.~+/=-]{16,}/g, (run) =>
    run.includes('eyJ') || secrets.some((secret) => secret.includes(run)) ? '[token]' : run,
  )
  return text.replace(/[\s\p{Cc}]+/gu, ' ').slice(0, MAX_LENGTH)
}
