import { HOUR, MINUTE, SECOND } from '@tokenkeeper/core'
import { createHostPacing, type Pacing, type Spool } from '@tokenkeeper/engine'
import type { World } from '../world.ts'

export type SpooledResult = Parameters<Spool['put']>[0]

/** A machine with its disk, which outlives its processes. */
export interface Machine {
  readonly name: string
  /** How far its wall clock is off (ms). */
  readonly skewMs: number
  spools: SpoolFile[]
  processes: Process[]
  /** Away with its disk until then (ms since the epoch). */
  awayUntil: number
}

/** A process's spool on the disk. Its lock ends with the process that holds it. */
export interface SpoolFile {
  readonly owner: Process
  readonly results: Map<string, SpooledResult>
  lockedBy: Process
}

export interface Process {
  readonly name: string
  readonly machine: Machine
  /** A `cli` ends with its task; a worker goes on. */
  readonly kind: 'worker' | 'cli'
  readonly spool: SpoolFile
  pacing: Pacing
  /** The keys that it knows, the sealing one first. */
  keyIds: readonly string[]
  alive: boolean
  /** Stopped until then (ms since the epoch). */
  pausedUntil: number
}

export function createMachine(name: string, skewMs: number): Machine {
  return { name, skewMs, spools: [], processes: [], awayUntil: 0 }
}

export function startProcess(world: World, machine: Machine, kind: Process['kind']): Process {
  const { conditions, count } = world
  const spool = { results: new Map() } as SpoolFile & { owner: Process }
  const process: Process = {
    name: `${kind}-${count()}@${machine.name}`,
    machine,
    kind,
    spool,
    pacing: openPacing(world, machine),
    keyIds: conditions.keyIds,
    alive: true,
    pausedUntil: 0,
  }
  spool.owner = process
  spool.lockedBy = process
  machine.spools.push(spool)
  machine.processes.push(process)
  world.trace(() => `${process.name} starts`)
  if (kind === 'worker') world.jobs.workerIsBack()
  return process
}

export function openPacing({ scheduler }: World, { skewMs }: Machine): Pacing {
  return createHostPacing({ now: () => Math.floor(scheduler.now() + skewMs) })
}

export function workersAtWork({ machines, scheduler }: World): Process[] {
  const now = scheduler.now()
  return machines.flatMap(({ processes }) =>
    processes.filter(({ kind, alive, pausedUntil }) => kind === 'worker' && alive && pausedUntil <= now),
  )
}

/** Before each step of a process: may it die or be held up here? False if the step does not happen now. */
export function survives(world: World, process: Process): boolean {
  const { faults } = world
  if (faults.strikes('process.crash')) crash(world, process)
  else if (faults.strikes('process.pause')) holdUp(world, process)
  else if (faults.strikes('machine.away')) takeAway(world, process.machine)
  else if (faults.strikes('machine.lost')) loseMachine(world, process.machine)
  else return true
  return false
}

/** The process has come to a named point of the protocol. */
export function reachPoint(world: World, process: Process, point: string): void {
  const { faults, plan } = world
  world.trace(() => `${process.name} is at ${point}`)
  if (point !== plan.point || !process.alive) return
  if (faults.strikes('point.crash')) crash(world, process)
  else if (faults.strikes('point.pause')) holdUp(world, process)
  else if (faults.strikes('point.away')) takeAway(world, process.machine)
}

function crash(world: World, process: Process): void {
  const { random } = world
  kill(world, process, random.chance(0.8) ? random.duration(SECOND, MINUTE) : random.duration(MINUTE, 4 * HOUR))
}

function holdUp(world: World, process: Process): void {
  const ms = world.random.duration(SECOND, 4 * HOUR)
  process.pausedUntil = world.scheduler.now() + ms
  world.trace(() => `${process.name} is held up for ${Math.round(ms / SECOND)} s`)
  world.jobs.workerHeldUp(process)
  world.scheduler.in(ms, world.jobs.workerIsBack)
  noteIdleFleet(world, ms)
}

function takeAway(world: World, machine: Machine): void {
  const ms = world.random.duration(MINUTE, 60 * HOUR)
  world.trace(() => `${machine.name} is away for ${Math.round(ms / SECOND)} s`)
  takeDown(world, machine, ms)
}

function loseMachine(world: World, machine: Machine): void {
  world.trace(() => `${machine.name} is lost with its disk`)
  machine.spools = []
  takeDown(world, machine, world.random.duration(MINUTE, HOUR))
}

/** The process is gone at once, with all that it has in memory. */
export function kill(world: World, process: Process, restartMs: number | null): void {
  if (!process.alive) return
  process.alive = false
  const { machine } = process
  machine.processes = machine.processes.filter((one) => one !== process)
  world.trace(() => `${process.name} dies`)
  world.checker.processDied(process)
  world.jobs.workerHeldUp(process)
  if (process.kind !== 'worker' || restartMs === null) return
  noteIdleFleet(world, restartMs)
  const isVoid = () => world.conditions.calm || machine.awayUntil > world.scheduler.now()
  world.scheduler.in(restartMs, () => startProcess(world, machine, 'worker'), isVoid)
}

function takeDown(world: World, machine: Machine, ms: number): void {
  const workers = machine.processes.filter(({ kind }) => kind === 'worker').length
  machine.awayUntil = world.scheduler.now() + ms
  for (const process of machine.processes) kill(world, process, null)
  noteIdleFleet(world, ms)
  const comeBack = () => {
    for (let i = 0; i < workers; i++) startProcess(world, machine, 'worker')
  }
  world.scheduler.in(ms, comeBack, () => world.conditions.calm)
}

/** Nobody at work is trouble for every account. */
function noteIdleFleet(world: World, ms: number): void {
  if (workersAtWork(world).length === 0) world.faults.troubleUntil(world.scheduler.now() + ms)
}
