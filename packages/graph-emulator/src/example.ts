import type { Control } from './control/functions.ts'
import { FAMILIES, type Family } from './state/model.ts'

export interface Example {
  readonly apps: Readonly<Record<Family, { readonly id: string; readonly secret: string }>>
  readonly email: string
  readonly password: string
}

const FIRST_ID = { facebook: 1000, instagram: 2000, threads: 3000 }

/** An app and a user of each host family, and three Pages of which a Business owns one. All users log in alike. */
export function makeExample(control: Control, redirectUris: string[]): Example {
  const login = { email: 'user@example.com', password: 'password' }
  const apps = { facebook: { id: '', secret: '' }, instagram: { id: '', secret: '' }, threads: { id: '', secret: '' } }
  for (const family of FAMILIES) {
    const first = FIRST_ID[family]
    apps[family] = control.createApp({ family, id: `${first}`, redirectUris })
    control.createUser({ family, id: `${first + 1}`, name: 'Example user', ...login })
  }
  for (const [index, businessId] of [undefined, '1009', undefined].entries()) {
    const pageId = `${FIRST_ID.facebook + 2 + index}`
    control.createPage({ id: pageId, name: `Example Page ${index + 1}`, businessId })
    control.setRole({ userId: `${FIRST_ID.facebook + 1}`, pageId })
  }
  return { apps, ...login }
}
