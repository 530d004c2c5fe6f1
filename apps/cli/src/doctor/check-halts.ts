import { ERRORS } from '@tokenkeeper/core'
import type { Store } from '@tokenkeeper/store'
import { type Finding, failed, ok, warning } from './finding.ts'

export async function checkHalts({ halts }: Pick<Store, 'halts'>): Promise<Finding[]> {
  const all = await halts.list()
  if (all.length === 0) return [ok('No platform is halted.')]
  return all.map(({ platform, state, code }) => {
    const why = `${code}: ${ERRORS[code]}`
    return state === 'halted'
      ? failed(
          `${platform} is halted. ${why}`,
          `Mend the cause, then \`halts end ${platform}\`, or wait for the next probe.`,
        )
      : warning(`${platform} may have to be halted. ${why}`, 'Nothing yet: the next refreshes tell.')
  })
}
