import { readFileSync, writeFileSync } from 'node:fs'
import { type Pds, startPds } from '@tokenkeeper/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { deploy, ENTRY, runToEnd, type Start } from '../test/deployed.ts'
import { tell, toolsAvailable } from '../test/tools.ts'

let pds: Pds
beforeAll(async () => {
  pds = await startPds()
})
afterAll(() => pds[Symbol.asyncDispose]())

type Machine = Awaited<ReturnType<typeof deploy>>

const PATHS: [name: string, start: (machine: Machine) => Start, log: (machine: Machine, output: string) => string][] = [
  ['timer', (machine) => machine.service('token-refresh-oneshot.service'), (_machine, output) => output],
  ['crontab line', (machine) => machine.cronJob(), (machine) => machine.read('log/refresh.log')],
]

describe.each(PATHS)('what the %s starts', (_name, startOf, logOf) => {
  test('refreshes the accounts that are due, and ends with 0', async () => {
    await using machine = await deploy(pds)
    const users = await pds.createAccounts(2)
    const ids = await machine.connect(users)
    const before = await machine.accounts()
    expect(before.map(({ generation }) => generation)).toEqual([1, 1])

    const ran = await runToEnd(startOf(machine))
    expect(ran.code, ran.stdout + ran.stderr).toBe(0)
    const after = await machine.accounts()
    expect(after.map(({ id }) => id).toSorted()).toEqual(ids.toSorted())
    for (const account of after) {
      expect(account).toMatchObject({ generation: 2, status: 'active', attempt: null, failure: null })
      expect(account.nextRefreshAt).toBeGreaterThan(Date.now())
    }
    expect(logOf(machine, ran.stdout + ran.stderr)).toMatch(/refreshed/)

    // Done again there is nothing to do, and that is well.
    expect((await runToEnd(startOf(machine))).code).toBe(0)
    expect((await machine.accounts()).map(({ generation }) => generation)).toEqual([2, 2])
  })

  test('ends with 1 when one of them fails, and refreshes the others', async () => {
    await using machine = await deploy(pds)
    const [well, gone] = await pds.createAccounts(2)
    const [wellId] = await machine.connect([well!, gone!])
    await pds.admin.takedown(gone!.did)
    const ran = await runToEnd(startOf(machine))
    expect(ran.code, ran.stdout + ran.stderr).toBe(1)
    const after = await machine.accounts()
    const generations = after.map(({ id, generation }) => [id === wellId, generation])
    expect(generations.toSorted()).toEqual([
      [false, 1],
      [true, 2],
    ])
    expect(after.find(({ id }) => id !== wellId)).toMatchObject({ status: 'needs_action' })
    expect(logOf(machine, ran.stdout + ran.stderr)).toMatch(/BLUESKY_TAKEN_DOWN|taken down/)
  })

  test('says what is configured wrongly, and ends with 2', async () => {
    await using machine = await deploy(pds, { LOG_RETENTION_DAYS: 'never' })
    const ran = await runToEnd(startOf(machine))
    expect(logOf(machine, ran.stdout + ran.stderr)).toMatch(/CONFIG_INVALID[\s\S]+LOG_RETENTION_DAYS/)
    expect(ran.code).toBe(startOf(machine).command[0] === ENTRY ? 2 : 1)
  })
})

test('the crontab has the form of a file in /etc/cron.d', async () => {
  await using machine = await deploy(pds)
  const crontab = machine.installed('crontab')
  expect(crontab).toMatch(/\n$/)
  for (const line of crontab.split('\n').filter((line) => line !== '' && !line.startsWith('#'))) {
    // A setting, or times, a user and a command; a % would be a line break for cron.
    expect(line).toMatch(/^([A-Z_]+=\S+|0 2 \* \* \* tokenkeeper [^%]+)$/)
  }
})

describe.runIf(toolsAvailable('the file for logrotate', 'logrotate'))('logrotate', () => {
  test('takes the file, and would rotate the log of the crontab line', async () => {
    await using machine = await deploy(pds)
    const [, log] = />>(\S+)/.exec(machine.cronJob().command[2]!)!
    const path = machine.stage('logrotate')
    writeFileSync(log!, 'x'.repeat(60 * 1024 ** 2))
    // Where it is installed, its user is there.
    const [user, group] = [tell('id', '-un'), tell('id', '-gn')].map(({ output }) => output.trim())
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll('tokenkeeper tokenkeeper', `${user} ${group}`))
    const { code, output } = tell('logrotate', '--debug', '--state', `${machine.dir}/state`, path)
    expect(output).not.toMatch(/error/i)
    expect(output).toMatch(/log needs rotating/)
    expect(output).toContain(log)
    expect(code).toBe(0)
  })
})
