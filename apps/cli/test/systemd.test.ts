import { readFileSync } from 'node:fs'
import { type Pds, type RedisServer, startPds, startRedis } from '@tokenkeeper/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { deploy, ENTRY, startService } from './deployed.ts'
import { refusedCalls } from './syscalls.ts'
import { tell, toolsAvailable } from './tools.ts'

const SERVICES = ['token-refresh.service', 'token-refresh-oneshot.service'] as const
const UNITS = [...SERVICES, 'token-refresh.timer'] as const
/** Of 10; what is above 1.3 was opened since. */
const LARGEST_EXPOSURE = 1.5

let pds: Pds
let redis: RedisServer
beforeAll(async () => {
  ;[pds, redis] = await Promise.all([startPds(), startRedis()])
})
afterAll(async () => {
  await Promise.all([pds[Symbol.asyncDispose](), redis[Symbol.asyncDispose]()])
})

describe.runIf(toolsAvailable('what systemd thinks of the units', 'systemd-analyze'))('systemd', () => {
  test('finds no mistake in any unit', async () => {
    await using machine = await deploy(pds)
    const paths = UNITS.map((unit) => machine.stage(`systemd/${unit}`))
    expect(tell('systemd-analyze', 'verify', ...paths)).toEqual({ code: 0, output: '' })
  })

  test('would find one', async () => {
    await using machine = await deploy(pds)
    const path = machine.stage('systemd/token-refresh.service')
    tell('sed', '-i', 's/^ProtectSystem=.*/ProtectSytem=strict/', path)
    expect(tell('systemd-analyze', 'verify', path).output).toMatch(/Unknown key .*'ProtectSytem'/)
  })

  test.each(SERVICES)('%s is exposed to little', async (service) => {
    await using machine = await deploy(pds)
    const threshold = `--threshold=${LARGEST_EXPOSURE * 10}`
    const told = tell('systemd-analyze', 'security', '--offline=true', threshold, machine.stage(`systemd/${service}`))
    expect(told.output).toMatch(/Overall exposure level for \S+: \d\.\d OK/)
    expect(told.code).toBe(0)
  })

  test('the timer comes at 02:00 UTC, and catches up', async () => {
    await using machine = await deploy(pds)
    const timer = machine.installed('systemd/token-refresh.timer')
    const [, when] = /^OnCalendar=(.+)$/m.exec(timer)!
    const times = tell('systemd-analyze', 'calendar', '--iterations=2', '--base-time=2026-12-30 12:00 UTC', when!)
    expect(times.output).toMatch(
      /Next elapse: Thu 2026-12-31 02:00:00 UTC[\s\S]+Iter[a-z.]* #2: Fri 2027-01-01 02:00:00 UTC/,
    )
    expect(timer).toMatch(/^Persistent=yes$/m)
    expect(timer).toMatch(/^Unit=token-refresh-oneshot.service$/m)
  })

  test('both services are hardened alike', async () => {
    await using machine = await deploy(pds)
    const hardening = SERVICES.map((service) => {
      const unit = machine.installed(`systemd/${service}`)
      return unit.slice(unit.indexOf('\nUser='), unit.indexOf('\n[Install]') + 1 || undefined).trim()
    })
    expect(hardening[0]).toBe(hardening[1])
    expect(hardening[0]).toContain('\nNoNewPrivileges=yes\n')
  })
})

test('the service waits for a stop as long as an answer may take, and what it commits', async () => {
  await using machine = await deploy(pds)
  for (const service of SERVICES) {
    const [, seconds] = /^TimeoutStopSec=(\d+)$/m.exec(machine.installed(`systemd/${service}`))!
    // The default of PROVIDER_TIMEOUT_MS, and 10 s to commit.
    expect(Number(seconds)).toBeGreaterThan(30 + 10)
  }
})

describe.runIf(toolsAvailable('what the SystemCallFilter lets through', 'systemd-analyze', 'strace'))('strace', () => {
  test('the service refreshes and stops while the calls that its filter refuses fail', async () => {
    const more = { REDIS_URL: redis.url, QUEUE_PREFIX: `{systemd-${process.pid}}`, SWEEP_EVERY_SECONDS: '1' }
    await using machine = await deploy(pds, more)
    await machine.connect(await pds.createAccounts(1))
    const { command, env, cwd } = machine.service('token-refresh.service')
    expect(command).toEqual([ENTRY, 'serve', '--no-api'])

    const calls = refusedCalls(machine.installed('systemd/token-refresh.service'))
    expect(calls).toEqual(expect.arrayContaining(['mount', 'ptrace', 'setuid', 'setpriority', 'reboot']))
    const trace = `${machine.dir}/trace`
    // Not every machine has every call: `?` passes over those.
    const list = calls.map((call) => `?${call}`).join()
    const traced = ['-f', '--seccomp-bpf', '-o', trace, '-e', `trace=${list}`, '-e', `inject=${list}:error=EPERM`, '--']
    expect(tell('strace', ...traced, 'nice', '-n', '1', 'true').output).toMatch(/cannot set niceness/)

    // As a bystander (-D), so that the service is our own child and signals reach it.
    await using service = startService({ command: ['strace', '-D', ...traced, ...command], env, cwd })
    await service.waitForLine(/"msg":"refreshed /)
    expect(await service.stop()).toBe(0)
    expect((await machine.accounts())[0]).toMatchObject({ generation: 2, status: 'active' })
    // Nothing else that is refused is asked for: SQLite gives its files to the owner of the database, if it runs as root.
    const asked = [...readFileSync(trace, 'utf8').matchAll(/ (\w+)\(.*\(INJECTED\)$/gm)].map(([, call]) => call)
    expect(asked.filter((call) => call !== 'fchown')).toEqual([])
  })
})
