import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { MUTATIONS } from '../src/mutations/mutations.ts'

/** By the rule that saves each trace of the protocol, in the order of its table: what switches that rule off. */
const MUTATIONS_BY_RULE: Readonly<Record<string, readonly string[]>> = {
  'Begin compares the generation and the exact attempt id seen': ['begin-without-generation', 'begin-without-attempt'],
  'majority re-read by attempt id': ['begin-believed', 'commit-believed'],
  'fence by generation, not by attempt; hold; replay revives': ['fence-by-attempt', 'no-hold', 'replay-revives-nobody'],
  'verdicts are compare-and-set on generation and attempt': ['verdict-unconditional'],
  'unknown outcome keeps the attempt; it is recovered even while paused': ['unknown-forgotten', 'paused-not-recovered'],
  're-seal compares generation and bytes': ['reseal-unconditional'],
  'generation rises only on commit, replay, reconnect': ['generation-raised', 'generation-raised-by-reseal'],
  connectId: ['reconnect-repeated'],
  'a reconnect is repeated only over what it was first written over': ['reconnect-overtakes'],
  'replay is Commit': ['replay-upserts'],
  'outbox in the same write': ['told-apart'],
  'erase on majority evidence only': ['local-reads'],
  'a late witness answer falls under the jti rule': ['late-witness-believed'],
  'mine only with outcome refreshed': ['interruption-taken-for-commit'],
  'both ask for status ≠ removing': ['reconnect-crosses-removal', 'pause-crosses-removal'],
  'previousCredential kept until the next commit': ['previous-not-kept'],
  'within the grace a hold needs two witnesses': ['held-at-once'],
  'Park keeps an unknown outcome': ['parked-and-forgotten'],
  'a token that ends later gets in all the same': ['ends-forgotten'],
  'such an answer is not committed; present the stored token again': ['witness-believed'],
}

test('each trace that a naive protocol fails has a rule that can be switched off', () => {
  const page = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8')
  const table = page.split('## Traces that a naive protocol fails')[1]!.split('\n## ')[0]!
  const rows = table.split('\n').filter((line) => line.startsWith('| '))
  const rules = rows.slice(1).map((row) => row.split(' | ').at(-1)!.replace(/ \|$/, ''))
  expect(rules).toEqual(Object.keys(MUTATIONS_BY_RULE))
  const names = MUTATIONS.map(({ name }) => name)
  expect(names).toEqual(expect.arrayContaining(Object.values(MUTATIONS_BY_RULE).flat()))
})
