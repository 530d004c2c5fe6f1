import { expect, test } from 'vitest'
import { cutSecrets } from '../src/cut-secrets.ts'
import { fakeJwt } from './servers.ts'

const TOKEN = fakeJwt({ jti: 'one', exp: 1 })
const META_TOKEN = `EAA${'q7ZBwPk3'.repeat(20)}`
const OTHER = fakeJwt({ jti: 'two', exp: 2 })

test.each([
  ['the token', `a ${TOKEN} b`, 'a [token] b'],
  ['an app password', 'no abcd-efgh-ijkl-mnop!', 'no [token]!'],
  ['a JWT that nobody presented', `got ${OTHER}`, 'got [token]'],
  ['a part of the token', `"${TOKEN.slice(30, 60)}"`, '"[token]"'],
  [
    "a token of Meta's that nobody presented",
    `Malformed access token ${META_TOKEN} or`,
    'Malformed access token [token] or',
  ],
  [
    'its address for more',
    `https://graph.example/me?access_token=${META_TOKEN}&after=MTAx`,
    expect.stringContaining('[token]'),
  ],
  ['a token in a URL', `https://x/?t=${OTHER}`, expect.stringContaining('[token]')],
  ['two lines and a control character', 'a\n\tb\u001b[31mc', 'a b [31mc'],
  [
    'plain words',
    'Could not find user info for account: did:plc:ewvi7nxzyoun6zhxrhs64oiz',
    expect.stringContaining('did:plc:ewvi7'),
  ],
])('%s', (_, words, expected) => {
  const cut = cutSecrets(words, [TOKEN, 'abcd-efgh-ijkl-mnop', ''])
  expect(cut).toEqual(expected)
  for (const part of [META_TOKEN.slice(0, 20), ...TOKEN.split('.'), ...OTHER.split('.').slice(0, 2)])
    expect(cut).not.toContain(part)
})

test('a token across the bound is cut before the text is', () => {
  const cut = cutSecrets('x '.repeat(145) + TOKEN, [TOKEN])
  expect(cut.length).toBeLessThanOrEqual(300)
  expect(cut).not.toContain('eyJ')
})
