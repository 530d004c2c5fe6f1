import { describe, expect, test } from 'vitest'
import { createAddressGuard, isPublicAddress } from '../src/http/address-guard.ts'

/** First and last address of each range that must never be reached, and their public neighbours. */
const RANGES: readonly { name: string; first: string; last: string; below?: string; above?: string }[] = [
  { name: 'unspecified', first: '0.0.0.0', last: '0.255.255.255', above: '1.0.0.0' },
  { name: 'private 10/8', first: '10.0.0.0', last: '10.255.255.255', below: '9.255.255.255', above: '11.0.0.0' },
  { name: 'CGNAT', first: '100.64.0.0', last: '100.127.255.255', below: '100.63.255.255', above: '100.128.0.0' },
  { name: 'loopback', first: '127.0.0.0', last: '127.255.255.255', below: '126.255.255.255', above: '128.0.0.0' },
  { name: 'link-local', first: '169.254.0.0', last: '169.254.255.255', below: '169.253.255.255', above: '169.255.0.0' },
  {
    name: 'private 172.16/12',
    first: '172.16.0.0',
    last: '172.31.255.255',
    below: '172.15.255.255',
    above: '172.32.0.0',
  },
  {
    name: 'private 192.168/16',
    first: '192.168.0.0',
    last: '192.168.255.255',
    below: '192.167.255.255',
    above: '192.169.0.0',
  },
  { name: 'benchmarking', first: '198.18.0.0', last: '198.19.255.255', below: '198.17.255.255', above: '198.20.0.0' },
  { name: 'multicast and reserved', first: '224.0.0.0', last: '255.255.255.255', below: '223.255.255.255' },
]

describe('isPublicAddress', () => {
  test.each(RANGES)(
    '$name: its edges and inside are refused, its neighbours are not',
    ({ first, last, below, above }) => {
      for (const address of [first, last, ...between(first, last)]) {
        expect(isPublicAddress(address), address).toBe(false)
        expect(isPublicAddress(`::ffff:${address}`), `mapped ${address}`).toBe(false)
        expect(isPublicAddress(`64:ff9b::${address}`), `NAT64 ${address}`).toBe(false)
      }
      for (const address of [below, above]) {
        if (address === undefined) continue
        expect(isPublicAddress(address), address).toBe(true)
        expect(isPublicAddress(`::ffff:${address}`), `mapped ${address}`).toBe(true)
        expect(isPublicAddress(`64:ff9b::${address}`), `NAT64 ${address}`).toBe(true)
      }
    },
  )

  test.each([
    ['unspecified', '::'],
    ['loopback', '::1'],
    ['v4-compatible loopback', '::127.0.0.1'],
    ['link-local', 'fe80::1'],
    ['link-local with a zone', 'fe80::1%eth0'],
    ['unique local', 'fc00::1'],
    ['unique local', 'fdff:ffff::1'],
    ['site-local', 'fec0::1'],
    ['multicast', 'ff02::1'],
    ['6to4 of a private address', '2002:a00:1::'],
    ['Teredo', '2001::1'],
    ['local-use NAT64', '64:ff9b:1::a00:1'],
    ['documentation', '2001:db8::1'],
    ['discard', '100::1'],
    ['no address', 'localhost'],
    ['no address', ''],
  ])('%s %s is refused', (_, address) => {
    expect(isPublicAddress(address)).toBe(false)
  })

  test.each(['8.8.8.8', '192.0.1.1', '2606:4700::1111', '2a00:1450:4001::200e'])('%s is public', (address) => {
    expect(isPublicAddress(address)).toBe(true)
  })
})

describe('assertAllowedUrl', () => {
  const guard = createAddressGuard(['pds.lan', 'localhost:2583', '[::1]:8080', '10.0.0.7', 'Upper.Lan.:80'])

  test.each([
    'https://bsky.social',
    'https://pds.example.com:8443/path',
    'https://8.8.8.8',
    'http://pds.lan',
    'http://PDS.lan.:9999',
    'http://localhost:2583',
    'https://localhost:2583',
    'http://[::1]:8080',
    'http://10.0.0.7',
    'http://0x0a000007/',
    'http://upper.lan',
  ])('allows %s', (url) => {
    expect(guard.assertAllowedUrl(url).href).toBe(new URL(url).href)
  })

  test.each([
    'https://localhost',
    'https://localhost.',
    'http://localhost:2584',
    'https://127.0.0.1',
    'https://2130706433',
    'https://0x7f.1',
    'https://0177.0.0.1',
    'https://[::1]',
    'https://[::ffff:10.0.0.1]',
    'https://169.254.169.254/latest/meta-data',
    'https://10.0.0.8',
    'http://192.168.1.1',
  ])('refuses %s', (url) => {
    expect(() => guard.assertAllowedUrl(url)).toThrow(expect.objectContaining({ code: 'ADDRESS_REFUSED' }))
  })

  test.each([
    'http://pds.example.com',
    'https://user:pw@pds.example.com',
    'https://user@pds.lan',
    'ftp://pds.lan',
    'file:///etc/passwd',
    'pds.example.com',
    'https://',
    '',
  ])('%s cannot be used', (url) => {
    expect(() => guard.assertAllowedUrl(url)).toThrow(expect.objectContaining({ code: 'ADDRESS_INVALID' }))
  })

  test.each(['', 'a b', 'http://pds.lan', 'pds.lan/path', 'pds.lan:', 'user@pds.lan', ':80'])(
    'the exception "%s" is a mistake in the configuration',
    (exception) => {
      expect(() => createAddressGuard([exception])).toThrow(
        expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining('ALLOWED_PRIVATE_HOSTS') }),
      )
    },
  )
})

/** Nine addresses spread over a v4 range. */
function between(first: string, last: string): string[] {
  const [from, to] = [toNumber(first), toNumber(last)]
  return Array.from({ length: 9 }, (_, index) => toAddress(from + Math.floor(((to - from) * (index + 1)) / 10)))
}

function toNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}

function toAddress(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.')
}
