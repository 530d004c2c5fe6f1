const CUT = '[secret]'

/** How the names of secret fields and parameters end, in any spelling: accessToken, access_token, X-Api-Key … */
const SECRET_NAME =
  '(?:token|jwt|secret|passw(?:or)?d|authorization|cookie|credentials?|(?:api|private)[_-]?key|encryption[_-]?keys?' +
  '|signed[_-]?request|secret[_-]?proof)'

const SECRET_FIELD = new RegExp(`${SECRET_NAME}$`, 'i')

/** A quotation mark, escaped as often as JSON inside of JSON makes it. */
const QUOTE = `\\\\*["']`

/** What is cut wherever it stands. Every repetition is bounded or cannot be entered twice, so that time stays linear. */
const FORMS: readonly (readonly [RegExp, string])[] = [
  // "name":"value", also in JSON that was quoted into a string.
  [
    new RegExp(`(${SECRET_NAME}(?:${QUOTE})?\\s*[:=]\\s*(${QUOTE}))(?:(?!\\2)(?:\\\\+["']?|[^\\\\]))*`, 'gi'),
    `$1${CUT}`,
  ],
  // name=value in a query, a form or an environment, also percent-encoded into another URL.
  [new RegExp(`(${SECRET_NAME}\\s*(?:=|%3D)\\s*)(?!\\\\*["'])[^\\s&"'\\\\#]+`, 'gi'), `$1${CUT}`],
  [/((?:[?&]|%3F|%26|\\u0026)code(?:=|%3D))[^\s&"'\\#]+/gi, `$1${CUT}`],
  // A header line, or the same in prose.
  [/((?:authorization|cookie|password)\s*:\s*)(?!\\*["'[]|\s)[^\r\n"']+/gi, `$1${CUT}`],
  [/((?:bearer|dpop)(?:\s|\\[nrt])+)[\w.~+/=-]{8,}/gi, `$1${CUT}`],
  [/(:\/\/)(?:[^\s"'/]{0,256}:[^\s"']{0,256}|[^\s"'/]{1,256})@/g, `$1${CUT}@`],
  // A JWT or JWE, whole or cut short.
  [/eyJ[\w-]{10,}(?:\.[\w-]*){0,4}/g, CUT],
  // User and app tokens of Meta, Instagram and Threads.
  [/(?:EAA|IG|TH)[A-Za-z0-9]{20,}[\w-]*/g, CUT],
  [/\d{6,20}\|[\w-]{20,}/g, CUT],
  [/v1\.[\w-]{1,64}\.[\w-]{20,}/g, `v1.${CUT}`],
  // A key to our own API; its id may be seen.
  [/(tk_[0-9a-f]{24}_)[\w-]{20,}/g, `$1${CUT}`],
  // A key of 32 bytes in base64.
  [/(?<![\w+/-])[\w+/-]{43}=(?!=)/g, CUT],
  // A Bluesky app password.
  [/(?<=^|[^a-z0-9-]|\\[bfnrt])[a-z2-7]{4}(?:-[a-z2-7]{4}){3}(?![a-z0-9-])/g, CUT],
]

/** One of these stands in every form. Most texts hold none, and looking for all forms is half of what a line costs. */
const HINT =
  /token(?!keeper)|jwt|secret|passw|auth|cookie|credential|key|request|proof|code|bearer|dpop|:\/\/|eyJ|EAA|IG|TH|\||v1\.|tk_|=|[a-z2-7]{4}-[a-z2-7]{4}-/i

/** The text with everything cut out that looks like a token, key, password or credential. */
export function scrub(text: string): string {
  if (!HINT.test(text)) return text
  let scrubbed = text
  for (const [form, replacement] of FORMS) scrubbed = scrubbed.replace(form, replacement)
  return scrubbed
}

/** Longer strings are shortened: a log is no place for a whole answer. */
const MAX_STRING = 10_000
const MAX_DEPTH = 12
/** Names of fields shorter than this are no tokens; looking at them would take half of the time. */
const SHORTEST_SECRET = 12

/** A parsed log line, or any JSON, without its secrets: by the name of the field at any depth, and by the look of each string. */
export function scrubEntry(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') {
    if (value.length <= MAX_STRING) return scrub(value)
    return `${scrub(value.slice(0, MAX_STRING))}… (${value.length - MAX_STRING} characters more)`
  }
  if (typeof value !== 'object' || value === null) return value
  if (depth === MAX_DEPTH) return '[deeper]'
  if (Array.isArray(value)) return value.map((item) => scrubEntry(item, depth + 1))
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      name.length < SHORTEST_SECRET ? name : scrub(name),
      isSecret(name, field) ? CUT : scrubEntry(field, depth + 1),
    ]),
  )
}

function isSecret(name: string, value: unknown): boolean {
  return value !== null && typeof value !== 'boolean' && SECRET_FIELD.test(name)
}
