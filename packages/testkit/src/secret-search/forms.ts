/** The byte sequences by which a secret may appear: as it is, in JSON, in a URL, in hex, and in base64. */
export function formsOf(secret: string): Buffer[] {
  const url = encodeURIComponent(secret)
  const forms = [
    secret,
    JSON.stringify(secret).slice(1, -1),
    url,
    url.replace(/%../g, (code) => code.toLowerCase()),
    Buffer.from(secret).toString('hex'),
    Buffer.from(secret).toString('hex').toUpperCase(),
    ...base64Forms(secret, 'base64'),
    ...base64Forms(secret, 'base64url'),
  ]
  return [...new Set(forms)].map((form) => Buffer.from(form))
}

/**
 * Within a longer encoded text a secret starts at any of three places of a 3-byte group: one form for each, without the
 * characters at its edges, which depend on the neighbours.
 */
function base64Forms(secret: string, encoding: 'base64' | 'base64url'): string[] {
  return [0, 1, 2].map((shift) => {
    const bytes = Buffer.concat([Buffer.alloc(shift), Buffer.from(secret)])
    return bytes.toString(encoding).slice(Math.ceil((shift * 8) / 6), Math.floor((bytes.length * 8) / 6))
  })
}
