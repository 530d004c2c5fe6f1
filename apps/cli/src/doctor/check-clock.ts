import { SECOND } from '@tokenkeeper/core'
import { type Finding, failed, ok, warning } from './finding.ts'

/** A `Date` header tells whole seconds. */
const NOTICED_MS = 5 * SECOND
/** Meta takes a proof that is younger than five minutes; halfway there it is told. */
const TOO_FAR_MS = 150 * SECOND

/** `aheadMs`: how far the clock of somebody else is ahead of ours. */
export function checkClock(whose: string, aheadMs: number): Finding {
  const apart = Math.abs(aheadMs)
  const seconds = Math.round(apart / SECOND)
  const says = `The clock of this machine is ${seconds} s ${aheadMs > 0 ? 'behind' : 'ahead of'} that of ${whose}.`
  const mend = 'Have both set their clocks by NTP (`timedatectl set-ntp true`).'
  if (apart > TOO_FAR_MS) return failed(says, mend)
  return apart > NOTICED_MS ? warning(says, mend) : ok(`The clock agrees with that of ${whose}.`)
}
