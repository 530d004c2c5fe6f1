import { mongoForTests } from '@tokenkeeper/testkit'
import { afterAll, afterEach, beforeAll, describe } from 'vitest'
import { createGraphWorld, type GraphWorld } from './graph-world.ts'

/** Declares tests for a world on SQLite, and for one on MongoDB where there is one; each world serves all its tests. */
export async function onEachStore(what: string, declare: (world: () => GraphWorld) => void): Promise<void> {
  const mongo = await mongoForTests(`${what} on MongoDB`)
  if (mongo) afterAll(() => mongo[Symbol.asyncDispose]())
  const stores = [['SQLite', undefined] as const, ...(mongo ? [['MongoDB', mongo] as const] : [])]
  describe.each(stores)(`${what} on %s`, (_name, server) => {
    let world: GraphWorld
    beforeAll(async () => {
      world = await createGraphWorld(server ? { mongo: server } : {})
    })
    afterEach(() => world.control.clearInjections({}))
    afterAll(() => world[Symbol.asyncDispose]())
    declare(() => world)
  })
}
