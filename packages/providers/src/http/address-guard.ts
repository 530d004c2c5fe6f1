import { lookup as dnsLookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { CodedError } from '@tokenkeeper/core'
import ipaddr from 'ipaddr.js'

/**
 * Keeps requests to addresses that users supply out of private networks. Names are judged when a socket connects, by
 * every address they resolve to then, so a name that pointed elsewhere a moment ago gains nothing.
 */
export interface AddressGuard {
  /** The parsed address: https, or an exception. Throws ADDRESS_INVALID or ADDRESS_REFUSED. Resolves no names. */
  assertAllowedUrl(url: string): URL
  /** Whether the operator listed this host; `port` is the effective one. */
  isException(hostname: string, port: number): boolean
  /** For socket connects: fails with ADDRESS_REFUSED if any address of the name is not public. */
  readonly lookup: LookupFunction
}

/** `exceptions`: hosts (`pds.lan`, `[::1]`) or hosts with a port (`localhost:2583`) that may be private and plain http. */
export function createAddressGuard(exceptions: readonly string[]): AddressGuard {
  const listed = new Set(exceptions.map(normalizeException))
  const isException = (hostname: string, port: number) => {
    const host = normalizeHostname(hostname)
    return host !== null && (listed.has(host) || listed.has(`${host}:${port}`))
  }

  function assertAllowedUrl(address: string): URL {
    const url = URL.parse(address)
    if (url === null || !(url.protocol in DEFAULT_PORTS) || url.username !== '' || url.password !== '') {
      throw new CodedError('ADDRESS_INVALID')
    }
    if (isException(url.hostname, effectivePort(url))) return url
    const host = url.hostname.replace(/\.$/, '')
    const literal = unbracket(host)
    if (host === 'localhost' || (isIP(literal) !== 0 && !isPublicAddress(literal))) {
      throw new CodedError('ADDRESS_REFUSED')
    }
    if (url.protocol !== 'https:') throw new CodedError('ADDRESS_INVALID')
    return url
  }

  return { assertAllowedUrl, isException, lookup: publicLookup }
}

/** Whether an IP address belongs to the public internet; v4 addresses inside v6 (mapped, NAT64) are judged as v4. */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false
  const ip = ipaddr.process(address)
  if (ip instanceof ipaddr.IPv4) return ip.range() === 'unicast'
  if (ip.match(NAT64)) return isPublicAddress(ip.toByteArray().slice(12).join('.'))
  return ip.match(GLOBAL_UNICAST) && ip.range() === 'unicast'
}

/** RFC 6052: where v6-only networks reach the v4 internet. */
const NAT64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96')
/** The only part of the v6 space that is handed out for the public internet. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3')
const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'https:': 443, 'http:': 80 }

export function effectivePort(url: { readonly protocol: string; readonly port: string }): number {
  return Number(url.port || DEFAULT_PORTS[url.protocol])
}

export function unbracket(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1')
}

const publicLookup: LookupFunction = (hostname, options, callback) => {
  dnsLookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, [])
    const refused = addresses.find(({ address }) => !isPublicAddress(address))
    if (refused) {
      const internal = `${hostname} resolves to ${refused.address}`
      return callback(new CodedError('ADDRESS_REFUSED', { internal }), [])
    }
    if (options.all) return callback(null, addresses)
    callback(null, addresses[0]!.address, addresses[0]!.family)
  })
}

/** Canonical as in a URL: lower case, IPv4 in dotted form, IPv6 compressed in brackets, no dot at the end. */
function normalizeHostname(host: string): string | null {
  const hostname = URL.parse(`http://${isIP(host) === 6 ? `[${host}]` : host}`)?.hostname
  return hostname?.replace(/\.$/, '') || null
}

function normalizeException(exception: string): string {
  const text = isIP(exception) === 6 ? `[${exception}]` : exception
  const [, host, port = ''] = /^(\[[\da-f:.]+\]|[^\s:/?#@[\]\\]+)(:\d{1,5})?$/i.exec(text) ?? []
  const normalized = host === undefined ? null : normalizeHostname(host)
  if (normalized === null) {
    throw new CodedError('CONFIG_INVALID', {
      publicMessage: `ALLOWED_PRIVATE_HOSTS: "${exception}" is no host and no host:port.`,
    })
  }
  return normalized + port
}
