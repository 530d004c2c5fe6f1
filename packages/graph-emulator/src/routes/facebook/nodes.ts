import { GraphError } from '../../errors/graph-error.ts'
import { authenticate } from '../../http/authenticate.ts'
import type { Call } from '../../http/host.ts'
import { grantOf } from '../../state/grants.ts'
import type { Grant, Page, Token, User } from '../../state/model.ts'
import { covers, isGranted, isListed, mayImpersonate } from '../../state/permissions.ts'
import { pageTokenOf } from '../../state/tokens.ts'
import type { World } from '../../state/world.ts'
import { pickFields } from './fields.ts'

/** The user behind the token of a call, with the consent. `id` must be theirs, or `me`. */
export function ownUser(call: Call, token: Token, id: string): { user: User; grant: Grant } {
  if (token.kind !== 'user' || (id !== 'me' && id !== token.userId)) throw unknownObject(call, id)
  const user = call.world.users.get(token.userId!)!
  return { user, grant: grantOf(call.world, token.appId, user.id)! }
}

/** `/me` and `/{id}`: a user's own node, a Page, or the app by its own token. */
export function node(call: Call, id: string) {
  const { world, params } = call
  const token = authenticate(call, id === 'me' ? 'token_missing' : 'token_required')
  const app = world.apps.get(token.appId)!
  if (token.kind === 'app') {
    if (id !== app.id && id !== 'app') throw unknownObject(call, id)
    return pickFields('Application', { id: app.id, name: app.name }, params.fields, ['name', 'id'])
  }
  const isUser = token.kind === 'user' && (id === 'me' || id === token.userId)
  if (isUser) {
    const { user, grant } = ownUser(call, token, id)
    const email = isGranted(grant, 'email') ? user.email : undefined
    return pickFields('User', { id: user.id, name: user.name, email }, params.fields, ['name', 'id'])
  }
  const page = world.pages.get(id === 'me' ? token.pageId! : id)
  const user = world.users.get(token.userId!)!
  const grant = grantOf(world, app.id, user.id)!
  const mayRead =
    page !== undefined && user.roles.has(page.id) && (isListed(grant, page) || mayImpersonate(grant, page.id))
  if (!mayRead || (token.kind === 'page' && token.pageId !== page.id)) throw unknownObject(call, id)
  return pickFields('Page', pageNode(call, token, user, grant, page), params.fields, ['name', 'id'])
}

/** All fields of a Page, as this token sees them. */
export function pageNode(
  { world, base }: Pick<Call, 'world' | 'base'>,
  token: Token,
  user: User,
  grant: Grant,
  page: Page,
) {
  const instagram =
    page.instagram !== undefined && covers(grant, 'instagram_basic', page.id) ? page.instagram : undefined
  return {
    access_token: accessTokenOf(world, token, user, grant, page),
    category: page.category,
    category_list: [{ id: '2256', name: page.category }],
    name: page.name,
    id: page.id,
    tasks: user.roles.get(page.id),
    username: page.username,
    picture: { data: { height: 50, is_silhouette: true, url: `${base}/${page.id}/picture`, width: 50 } },
    instagram_business_account: instagram,
    has_transitioned_to_new_page_experience: true,
  }
}

/** Missing without a page permission that covers the Page, and for a role without tasks. */
function accessTokenOf(world: World, token: Token, user: User, grant: Grant, page: Page): string | undefined {
  if (token.kind === 'page') return token.value
  if (!mayImpersonate(grant, page.id) || !user.roles.get(page.id)?.length) return undefined
  return pageTokenOf(world, token, page).value
}

export function unknownObject({ method }: Pick<Call, 'method'>, id: string): GraphError {
  return new GraphError('object_unknown', { method: method.toLowerCase(), id })
}
