import { isIP } from 'node:net'
import { CronExpressionParser } from 'cron-parser'
import { z } from 'zod'

/**
 * The forms that values may have: schemas from text to a typed value. Each describes itself (`a whole number from 1 to 9`)
 * for the documentation; its complaint is `must be` and that description, and never repeats the value.
 */

export function text(form = 'a text') {
  return z.string().describe(form)
}

export function longText(min: number) {
  const form = `a text of at least ${min} characters`
  return z.string().min(min, `must be ${form}`).describe(form)
}

export function certificate() {
  const form = 'a certificate in PEM'
  return z
    .string()
    .regex(/-----BEGIN CERTIFICATE-----\s[\s\S]+-----END CERTIFICATE-----/, `must be ${form}`)
    .describe(form)
}

export function wholeNumber(min: number, max: number) {
  const form = `a whole number from ${min} to ${max}`
  const error = `must be ${form}`
  const inRange = z.number().min(min, error).max(max, error)
  return z
    .string()
    .regex(/^\d{1,15}$/, error)
    .transform(Number)
    .pipe(inRange)
    .describe(form)
}

export function oneOf<const Values extends readonly [string, ...string[]]>(values: Values) {
  const form = `one of ${values.join(', ')}`
  return z.enum(values, `must be ${form}`).describe(form)
}

export function yesOrNo() {
  const form = 'true or false'
  return z.stringbool({ error: `must be ${form}` }).describe(form)
}

/** BullMQ's keys of one prefix must share a slot of a Redis cluster, so the prefix needs a hash tag. */
export function queuePrefix() {
  const form = 'a prefix with a hash tag in braces and without blanks, as {tokenkeeper}'
  return z
    .string()
    .regex(/^[^\s{}]*\{[^\s{}]+\}[^\s{}]*$/, `must be ${form}`)
    .describe(form)
}

/** `id:key,id:key`; the keys are 32 bytes in base64, the first one seals. */
export function keyRing() {
  const form = 'id:key or id:key,id:key with different ids, each key 32 bytes in base64 (openssl rand -base64 32)'
  return z.string().refine(isKeyRing, `must be ${form}`).describe(form)
}

function isKeyRing(value: string): boolean {
  const keys = value.split(',').map((entry) => /^\s*([A-Za-z0-9_-]+):[A-Za-z0-9+/]{43}=?\s*$/.exec(entry)?.[1])
  return keys.every((id) => id !== undefined) && new Set(keys).size === keys.length
}

/** Host names or addresses, each with an optional port. */
export function hostList() {
  const form = 'host names or addresses separated by commas, each with an optional port'
  const host = z.string().regex(/^(\[[0-9a-f:.]+\]|[a-z0-9]([a-z0-9.-]*[a-z0-9])?)(:\d{1,5})?$/, `must be ${form}`)
  return z.string().transform(splitList).pipe(z.array(host)).describe(form)
}

function splitList(value: string): string[] {
  const items = value.split(',').map((item) => item.trim().toLowerCase())
  return items.filter((item) => item !== '')
}

/** Addresses of machines and networks in the notation of proxy-addr, which takes them. */
export function networkList() {
  const form = 'addresses, networks (as 10.0.0.0/8) or loopback, separated by commas'
  const network = z.string().refine(isNetwork, `must be ${form}`)
  return z.string().transform(splitList).pipe(z.array(network)).describe(form)
}

function isNetwork(value: string): boolean {
  if (value === 'loopback') return true
  // An address of a zone, or an IPv4 one in the dress of IPv6, has no place there.
  const [, address = '', bits] = /^(?!::ffff:)([0-9a-f.:]+)(?:\/(\d{1,3}))?$/.exec(value) ?? []
  const longest = { 4: 32, 6: 128 }[isIP(address)] ?? 0
  return longest > 0 && (bits === undefined || (Number(bits) >= 1 && Number(bits) <= longest))
}

/** An address of a web service; yields it without a slash at the end. */
export function webAddress() {
  const form = 'an https address without user name, query or fragment (http only on this machine)'
  return z
    .string()
    .refine(isWebAddress, `must be ${form}`)
    .transform((value) => value.replace(/\/+$/, ''))
    .describe(form)
}

function isWebAddress(value: string): boolean {
  const url = URL.parse(value)
  if (url === null || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname)
}

/** An id as Meta gives it: longer than a number holds. */
export function digits() {
  const form = 'an id of digits'
  return z
    .string()
    .regex(/^\d{1,32}$/, `must be ${form}`)
    .describe(form)
}

export function graphVersion() {
  const form = 'a version like v26.0'
  return z
    .string()
    .regex(/^v\d{1,3}\.\d$/, `must be ${form}`)
    .describe(form)
}

export function cronPattern() {
  const form = 'a cron pattern of 5 or 6 fields that comes due at some time, as 0 0 * * 0'
  return z.string().refine(isCronPattern, `must be ${form}`).describe(form)
}

function isCronPattern(value: string): boolean {
  const fields = value.trim().split(/\s+/).length
  // H is another time at each reading.
  if ((fields !== 5 && fields !== 6) || /\bH\b/i.test(value)) return false
  try {
    CronExpressionParser.parse(value, { currentDate: 0, tz: 'UTC' }).next()
    return true
  } catch {
    return false
  }
}

export function timeZone() {
  const form = 'a time zone of the IANA list, as UTC or Europe/Berlin'
  return z.string().refine(isTimeZone, `must be ${form}`).describe(form)
}

function isTimeZone(value: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: value })
    return true
  } catch {
    return false
  }
}
