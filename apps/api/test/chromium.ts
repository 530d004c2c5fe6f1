import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const path = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'

/** Whether there is a Chromium to test with. Says so once if not; with TESTS_MUST_NOT_SKIP=1 that is a failure. */
export function chromiumAvailable(): boolean {
  if (existsSync(path)) return true
  const message = `No Chromium at ${path} (CHROMIUM_PATH): the tests of Bull Board in a browser`
  if (process.env.TESTS_MUST_NOT_SKIP === '1') throw new Error(`${message} cannot run`)
  console.log(`${message} are left out`)
  return false
}

export function launchChromium(): Promise<Browser> {
  const quiet = ['--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']
  return chromium.launch({ executablePath: path, args: ['--no-sandbox', '--disable-gpu', '--disable-quic', ...quiet] })
}
