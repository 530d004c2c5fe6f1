/**
 * JSON whose whole numbers beyond 2^53 become strings of their digits: Meta's ids are longer than a number holds
 * exactly, and some answers do not quote them. Undefined if it is no JSON.
 */
export function parseGraphJson(text: string): unknown {
  try {
    return JSON.parse(text, keepDigits as (key: string, value: unknown) => unknown)
  } catch {
    return undefined
  }
}

function keepDigits(_key: string, value: unknown, { source }: { readonly source?: string }): unknown {
  return typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value) ? source : value
}
