const MAX_LENGTH = 300

/** A provider's words for the internal log: without secrets, on one line, of bounded length. */
export function cutSecrets(words: string, secrets: readonly string[]): string {
  let text = words
  for (const secret of secrets) if (secret !== '') text = text.replaceAll(secret, '[token]')
  // Parts of a secret may be echoed alone.
  const isPart = (run: string) => secrets.some((secret) => secret.includes(run))
  // Every JWT begins with these letters (`{"`), whole or cut off.
  text = text.replace(/[\w.~+/=-]{16,}/g, (run) => (run.includes('eyJ') || isPart(run) ? '[token]' : run))
  // A token that nobody presented, an app secret, a proof: no word is as long.
  text = text.replace(/[\w-]{16,}/g, (run) => (run.length >= 32 || isPart(run) ? '[token]' : run))
  return text.replace(/[\s\p{Cc}]+/gu, ' ').slice(0, MAX_LENGTH)
}
