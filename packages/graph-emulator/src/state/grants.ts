import type { App, Grant, PermissionStatus, User } from './model.ts'
import { BASIC, isAboutPages } from './permissions.ts'
import type { World } from './world.ts'

export interface Consent {
  readonly granted: readonly string[]
  readonly declined?: readonly string[]
  /** Pages chosen in the dialog; absent = all, also later ones. */
  readonly pages?: readonly string[]
  /** Where a permission covers other Pages than those chosen. */
  readonly targets?: Readonly<Record<string, readonly string[]>>
}

export function grantOf(world: World, appId: string, userId: string): Grant | undefined {
  return world.grants.get(appId)?.get(userId)
}

/** A user's consent. While an earlier one stands it adds to that, and its tokens live on. */
export function consent(world: World, app: App, user: User, given: Consent): Grant {
  const grant = grantOf(world, app.id, user.id) ?? newGrant(world)
  const set = (name: string, status: PermissionStatus) => {
    grant.permissions.set(name, status)
    grant.targets.delete(name)
  }
  for (const name of [BASIC[app.family], ...given.granted]) set(name, 'granted')
  for (const name of given.declined ?? []) set(name, 'declined')
  for (const name of given.granted.filter(isAboutPages)) {
    const pages = given.targets?.[name] ?? given.pages
    if (pages !== undefined) grant.targets.set(name, new Set(pages))
  }
  grant.engagedAt = world.now()
  const ofApp = world.grants.get(app.id) ?? new Map()
  world.grants.set(app.id, ofApp.set(user.id, grant))
  return grant
}

/** The user removes the app: all its tokens of the user are dead (458). False if there was no consent. */
export function removeGrant(world: World, appId: string, userId: string): boolean {
  return world.grants.get(appId)?.delete(userId) ?? false
}

/** How many users use the app; its pool of calls follows from that. */
export function usersOf(world: World, appId: string): number {
  return world.grants.get(appId)?.size ?? 0
}

function newGrant(world: World): Grant {
  const id = world.nextGrantId
  world.nextGrantId += 1
  return { id, permissions: new Map(), targets: new Map(), engagedAt: world.now() }
}
