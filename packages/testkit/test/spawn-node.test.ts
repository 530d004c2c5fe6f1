import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { redisAvailable, spawnNode, tempDir, until } from '../src/index.ts'
import { isAlive } from './processes.ts'

const ECHO = fileURLToPath(new URL('fixtures/echo.ts', import.meta.url))
const PARENT = fileURLToPath(new URL('fixtures/parent.ts', import.meta.url))

describe('a child process', () => {
  test('gets a clean environment and its arguments; output and exit code are told', async () => {
    await using child = spawnNode(ECHO, { args: ['exit', 'two'], env: { GIVEN: 'yes' } })
    expect(await child.exited).toEqual({ code: 3, signal: null })
    const said = JSON.parse(child.stdoutLines[0]!)
    expect(said).toEqual({
      env: { PATH: process.env.PATH, HOME: process.env.HOME, GIVEN: 'yes' },
      args: ['exit', 'two'],
      ipc: false,
    })
    expect(child.lines).toContain('on stderr')
    expect(child.stdoutLines).not.toContain('on stderr')
  })

  test('is killed by signal, and on dispose', async () => {
    let pid: number
    {
      await using child = spawnNode(ECHO, { args: ['wait'] })
      pid = child.pid
      await child.waitForLine(/^waiting$/)
      child.kill('SIGTERM')
      expect(isAlive(pid)).toBe(true)
    }
    expect(isAlive(pid)).toBe(false)
    await using child = spawnNode(ECHO, { args: ['wait'] })
    await child.waitForLine(/^waiting$/)
    child.kill()
    expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' })
  })

  test('talks over IPC', async () => {
    await using child = spawnNode(ECHO, { args: ['ipc'], ipc: true })
    await child.waitForLine(/"ipc":true/)
    child.child.send({ hello: 1 })
    expect((await once(child.child, 'message'))[0]).toEqual({ echo: { hello: 1 } })
    expect(await child.exited).toEqual({ code: 0, signal: null })
  })

  test('waitForLine finds a line of the past, and tells why it found none', async () => {
    await using child = spawnNode(ECHO, { args: ['exit'] })
    await child.exited
    expect((await child.waitForLine(/on (\w+)/))[1]).toBe('stderr')
    await expect(child.waitForLine(/never/)).rejects.toThrow(/The process ended \(3\) before[\s\S]*on stderr/)
    await using waiting = spawnNode(ECHO, { args: ['wait'] })
    await expect(waiting.waitForLine(/never/, 50)).rejects.toThrow('50 ms passed before a line matched /never/')
  })

  test('an entry that does not exist ends with an error', async () => {
    await using child = spawnNode('/nowhere/entry.ts')
    expect((await child.exited).code).toBe(1)
    expect(child.lines.join('\n')).toContain('Cannot find module')
  })

  test.runIf(redisAvailable() && process.platform !== 'win32')(
    'dies with its parent, and so does a Redis',
    async () => {
      await using dir = await tempDir()
      await using parent = spawnNode(PARENT, { env: { TMPDIR: dir.path } })
      const [, ...pids] = await parent.waitForLine(/^children (\d+) (\d+)$/)
      expect(pids.map(Number).filter(isAlive)).toHaveLength(2)
      parent.kill('SIGKILL')
      await until(() => !pids.map(Number).some(isAlive), { what: 'the children to be gone' })
    },
  )
})
