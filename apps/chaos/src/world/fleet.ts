import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type NodeProcess, spawnNode, until } from '@tokenkeeper/testkit'
import type { Order } from '../processes/orders.ts'
import type { Trap } from '../processes/trap.ts'

export type Role = 'worker' | 'scheduler' | 'operators'

/** A process of the fleet, from its start to its end. */
export interface Member {
  /** Names its journal too. */
  readonly name: string
  readonly role: Role
  readonly process: NodeProcess
  ready: boolean
  /** When it ended, ms by the system's clock; and whether by SIGKILL. */
  diedAt?: number
  killed?: boolean
  /** While it was stopped by SIGSTOP. */
  readonly stops: { readonly from: number; to?: number }[]
}

export interface FleetOptions {
  /** Where each process's journal goes. */
  readonly journals: string
  readonly entries: Readonly<Partial<Record<Role, string>>>
  readonly workers: number
  /** The environment of the next process that starts. */
  readonly env: () => Readonly<Record<string, string>>
}

export interface Fleet extends AsyncDisposable {
  /** Those that are ready. */
  workers(): Member[]
  operators(): Member | undefined
  /** All that ever were, by their names. */
  readonly members: ReadonlyMap<string, Member>
  /** How many processes were ended by SIGKILL. */
  readonly kills: number
  /** What those said last who ended by themselves, and how often. */
  readonly lastWords: ReadonlyMap<string, number>
  /** Resolves when all that should run are ready. */
  complete(): Promise<void>
  setTrap(member: Member, trap: Trap | null): void
  /** Those that start next begin with these traps, one each; what is left of earlier ones is forgotten. */
  trapNewcomers(traps: readonly Trap[]): void
  /** SIGKILL; resolves when it is gone. Another takes its place at once. */
  kill(member: Member): Promise<void>
  /** SIGCONT to one that has stopped itself in a trap. */
  goOn(member: Member): void
  /** SIGTERM to all; resolves when they have ended by themselves. */
  stop(): Promise<void>
}

/** Before a start that failed is tried again; who was killed is replaced at once, as a process manager does. */
const AGAIN_MS = 1_000

/** Real processes of the product, each replaced when it ends. */
export function startFleet({ journals, entries, workers, env }: FleetOptions): Fleet {
  const members = new Map<string, Member>()
  const running = new Set<Member>()
  let stopping = false
  let kills = 0
  let newcomersTraps: Trap[] = []
  const lastWords = new Map<string, number>()

  function start(role: Role): void {
    const name = `${role}-${members.size + 1}`
    const trap = role === 'worker' ? newcomersTraps.shift() : undefined
    const process = spawnNode(entries[role]!, {
      env: { ...env(), JOURNAL: join(journals, `${name}.jsonl`), ...(trap && { TRAP: JSON.stringify(trap) }) },
      ipc: true,
    })
    const member: Member = { name, role, process, ready: false, stops: [] }
    members.set(name, member)
    running.add(member)
    process.child.on('message', (message) => {
      if (message === 'ready') member.ready = true
    })
    process.child.once('exit', (_code, signal) => {
      running.delete(member)
      member.diedAt ??= Date.now()
      member.killed = signal === 'SIGKILL'
      if (member.killed) kills += 1
      if (stopping) return
      if (member.killed) return start(role)
      const words = process.lines.findLast((line) => line !== '') ?? ''
      lastWords.set(words, (lastWords.get(words) ?? 0) + 1)
      void delay(AGAIN_MS).then(() => stopping || start(role))
    })
  }

  const wanted: Readonly<Record<Role, number>> = { worker: workers, scheduler: 1, operators: 1 }
  const roles = Object.keys(entries) as Role[]
  for (const role of roles) for (let i = 0; i < wanted[role]; i++) start(role)

  const ofRole = (role: Role) => [...running].filter((member) => member.role === role && member.ready)
  const send = (member: Member, order: Order) => member.process.child.send(order, () => {})
  return {
    members,
    lastWords,
    get kills() {
      return kills
    },
    workers: () => ofRole('worker'),
    operators: () => ofRole('operators')[0],
    async complete() {
      await until(() => roles.every((role) => ofRole(role).length === wanted[role]), {
        what: 'all processes to be ready',
        timeoutMs: 120_000,
      })
    },
    trapNewcomers(traps) {
      newcomersTraps = [...traps]
    },
    setTrap: (member, trap) => void send(member, { kind: 'trap', trap }),
    async kill(member) {
      member.diedAt ??= Date.now()
      member.process.kill('SIGKILL')
      await member.process.exited
    },
    goOn(member) {
      const stopped = member.stops.at(-1)
      if (stopped) stopped.to ??= Date.now()
      member.process.kill('SIGCONT')
    },
    async stop() {
      stopping = true
      for (const { process } of running) process.kill('SIGTERM')
      await Promise.all([...running].map(({ process }) => process.exited))
    },
    async [Symbol.asyncDispose]() {
      stopping = true
      await Promise.all([...running].map(({ process }) => process[Symbol.asyncDispose]()))
    },
  }
}
