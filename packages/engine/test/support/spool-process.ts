/**
 * A process of its own with a spool. `hold`: puts `count` results, prints `held <attempt ids>` and stays. `adopt`:
 * erases what dead siblings left, printing `adopted <attempt id>` for each, until the directory is empty. `fill`: puts
 * until the spool takes no more, empties it and puts again; prints what it saw as JSON.
 */
import { readdirSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { hasCode, systemClock } from '@tokenkeeper/core'
import { createSpool } from '../../src/index.ts'
import { buildResult } from './build-result.ts'

const [dir = '', action = '', count = '1'] = process.argv.slice(2)
const spool = createSpool({ dir, clock: systemClock })
const print = (line: string) => process.stdout.write(`${line}\n`)

if (action === 'hold') {
  const results = Array.from({ length: Number(count) }, () => buildResult())
  for (const result of results) await spool.put(result)
  print(`held ${results.map((result) => result.attempt.id).join(' ')}`)
  setInterval(() => {}, 1_000_000)
}

if (action === 'adopt') {
  print('adopting')
  while (readdirSync(dir).length > 0) {
    for (const { results, erase } of spool.orphans()) {
      for (const { attempt } of results) {
        await delay(1) // as a replay would: the file stays locked meanwhile
        erase(attempt.id)
        print(`adopted ${attempt.id}`)
      }
    }
  }
}

if (action === 'fill') {
  const codes: boolean[] = []
  for (let put = 0; put < Number(count) && codes.length === 0; put++) {
    await spool.put(buildResult({ sealed: 'x'.repeat(2_000) })).catch((error) => {
      codes.push(hasCode(error, 'SPOOL_UNAVAILABLE'))
    })
  }
  const kept = spool.own()
  for (const { attempt } of kept) spool.erase(attempt.id)
  spool.check()
  await spool.put(buildResult())
  print(JSON.stringify({ refusedAsUnavailable: codes[0] ?? null, kept: kept.length, afterwards: spool.own().length }))
  for (const { attempt } of spool.own()) spool.erase(attempt.id)
  spool[Symbol.dispose]()
}
