import type { Family, Grant, Page } from './model.ts'

/** What an app may ask for; the dialog refuses other names. */
export const PERMISSIONS: Record<Family, readonly string[]> = {
  facebook: [
    'public_profile',
    'email',
    'pages_show_list',
    'pages_read_engagement',
    'pages_read_user_content',
    'pages_manage_posts',
    'pages_manage_metadata',
    'pages_manage_engagement',
    'pages_manage_ads',
    'pages_messaging',
    'business_management',
    'instagram_basic',
    'instagram_content_publish',
    'instagram_manage_comments',
    'instagram_manage_insights',
    'read_insights',
    'ads_read',
    'ads_management',
  ],
  instagram: [
    'instagram_business_basic',
    'instagram_business_content_publish',
    'instagram_business_manage_comments',
    'instagram_business_manage_messages',
    'instagram_business_manage_insights',
  ],
  threads: [
    'threads_basic',
    'threads_content_publish',
    'threads_manage_insights',
    'threads_manage_replies',
    'threads_read_replies',
    'threads_delete',
  ],
}

/** Cannot be declined. Instagram and Threads refresh only with theirs. */
export const BASIC: Record<Family, string> = {
  facebook: 'public_profile',
  instagram: 'instagram_business_basic',
  threads: 'threads_basic',
}

/** One of them must cover a Page before its token is given or works. Meta's own error message lists them. */
const IMPERSONATING = [
  'pages_read_engagement',
  'pages_manage_metadata',
  'pages_read_user_content',
  'pages_manage_ads',
  'pages_show_list',
  'pages_messaging',
]

/** Whether it is given for chosen Pages. */
export function isAboutPages(permission: string): boolean {
  return /^(pages_|instagram_(?!business_)|business_management|read_insights)/.test(permission)
}

export function isGranted(grant: Grant, permission: string): boolean {
  return grant.permissions.get(permission) === 'granted'
}

export function grantedPermissions(grant: Grant): string[] {
  return [...grant.permissions].filter(([, status]) => status === 'granted').map(([name]) => name)
}

export function covers(grant: Grant, permission: string, pageId: string): boolean {
  return isGranted(grant, permission) && (grant.targets.get(permission)?.has(pageId) ?? true)
}

export function mayImpersonate(grant: Grant, pageId: string): boolean {
  return IMPERSONATING.some((permission) => covers(grant, permission, pageId))
}

/** Whether the Page stands in the listing: a Business's Page takes business_management. */
export function isListed(grant: Grant, page: Page): boolean {
  if (page.businessId !== undefined) return covers(grant, 'business_management', page.id)
  return covers(grant, 'pages_show_list', page.id)
}
