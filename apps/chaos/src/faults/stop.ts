import type { Trap } from '../processes/trap.ts'
import type { Member } from '../world/fleet.ts'
import type { World } from '../world/world.ts'

/** Sets traps in which workers stop themselves; the function tells which of them stand still by now. */
export function stopAt(
  { fleet, history }: World,
  victims: readonly Member[],
  trap: Omit<Trap, 'signal'>,
): () => Member[] {
  const before = history.fired.length
  for (const victim of victims) fleet.setTrap(victim, { ...trap, signal: 'SIGSTOP' })
  return () => {
    history.read()
    for (const { by, at } of history.fired.slice(before)) {
      const member = victims.find(({ name }) => name === by)
      if (member && !member.stops.some(({ from }) => from === at)) member.stops.push({ from: at })
    }
    return victims.filter(({ stops }) => stops.length > 0 && stops.at(-1)!.to === undefined)
  }
}

export function goOn({ fleet }: World, victims: readonly Member[]): void {
  for (const victim of victims) {
    fleet.goOn(victim)
    fleet.setTrap(victim, null)
  }
}
