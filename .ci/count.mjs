/** Sums up what vitest reported: STATUS RESULTS… Ends with `N passed, N failed`; a run without results is a failure. */
import { readFileSync } from 'node:fs'

const [, , status, ...files] = process.argv
let passed = 0
let failed = 0
for (const file of files) {
  try {
    const results = JSON.parse(readFileSync(file, 'utf8'))
    const leftOut = results.numPendingTests + results.numTodoTests
    if (leftOut > 0) console.log(`${leftOut} tests were left out, which is not allowed here`)
    passed += results.numPassedTests
    failed += results.numFailedTests + leftOut
  } catch {
    console.log('a run broke before it had results')
    failed += 1
  }
}
if (status !== '0' && failed === 0) failed = 1
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
