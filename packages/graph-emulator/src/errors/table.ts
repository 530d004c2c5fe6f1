/** One error as Meta answers it. `{name}` in a message is filled in: Meta repeats ids, and tokens, in its messages. */
export interface ErrorRow {
  readonly status: number
  readonly code: number
  readonly subcode?: number
  /** Default OAuthException. Code 100 at Instagram and Threads has a type of its own. */
  readonly type?: string
  readonly message: string
  readonly transient?: boolean
  /** Default `graph`: `{error: {…}}`. */
  readonly shape?: 'graph' | 'flat' | 'instagram_oauth' | 'threads_oauth'
}

const UNSUPPORTED =
  'cannot be loaded due to missing permissions, or does not support this operation. Please read the Graph API ' +
  'documentation at https://developers.facebook.com/docs/graph-api'

/** Every error that the emulator can give, by its cause or by injection. Names are stable: tests inject by them. */
export const ERROR_TABLE = {
  // Outages
  unknown: { status: 500, code: 1, message: 'An unknown error occurred' },
  unknown_99: { status: 500, code: 99, message: 'An unknown error occurred' },
  service: {
    status: 503,
    code: 2,
    message: 'An unexpected error has occurred. Please retry your request later.',
    transient: true,
  },
  transient: {
    status: 400,
    code: 1,
    message: 'Please reduce the amount of data you are asking for, then retry your request',
    transient: true,
  },
  ok_with_error: { status: 200, code: 2, message: 'Service temporarily unavailable' },
  flat: { status: 400, code: 1, message: 'An unknown error has occurred.', shape: 'flat' },

  // Limits. Real answers of code 4 and 17 say is_transient, which is easily mistaken for an outage.
  app_limit: { status: 403, code: 4, message: '(#4) Application request limit reached', transient: true },
  app_limit_341: { status: 403, code: 341, message: '(#341) Application limit reached' },
  user_limit: { status: 400, code: 17, message: '(#17) User request limit reached', transient: true },
  user_limit_9: { status: 400, code: 9, message: '(#9) User is performing too many actions' },
  page_limit: { status: 400, code: 32, message: '(#32) Page request limit reached' },
  custom_limit: { status: 400, code: 613, message: '(#613) Calls to this api have exceeded the rate limit.' },
  custom_limit_behaviour: {
    status: 400,
    code: 613,
    subcode: 1996,
    message: '(#613) We have detected inconsistent behavior in the API request volume of your app.',
  },
  business_limit_80000: {
    status: 400,
    code: 80000,
    message: '(#80000) There have been too many calls from this ad-account. Wait a bit and try again.',
  },
  business_limit_80001: {
    status: 400,
    code: 80001,
    message: '(#80001) There have been too many calls to this Page account. Wait a bit and try again.',
  },
  business_limit_80002: {
    status: 400,
    code: 80002,
    message: '(#80002) There have been too many calls to this Instagram account. Wait a bit and try again.',
  },
  business_limit_80006: {
    status: 400,
    code: 80006,
    message: '(#80006) There have been too many calls to this Messenger account. Wait a bit and try again.',
  },
  business_limit_80014: {
    status: 400,
    code: 80014,
    message: '(#80014) There have been too many calls for the batch uploads to this catalog account.',
  },
  policy_block: {
    status: 400,
    code: 368,
    message: 'The action attempted has been deemed abusive or is otherwise disallowed',
  },

  // The app itself
  app_unknown: {
    status: 400,
    code: 101,
    message: 'Error validating application. Cannot get application info due to a system error.',
  },
  app_deleted: { status: 400, code: 101, message: 'Error validating application. Application has been deleted.' },
  app_id_invalid: { status: 400, code: 101, message: 'Invalid application ID.' },
  app_id_missing: { status: 400, code: 101, message: 'Missing client_id parameter.' },
  secret_wrong: { status: 400, code: 1, message: 'Error validating client secret.' },
  secret_wrong_100: { status: 400, code: 100, message: 'Error validating client secret' },
  app_disabled_190: { status: 400, code: 190, message: 'Error validating application. Application has been deleted.' },
  app_restricted: { status: 400, code: 200, message: 'API access blocked.' },
  app_lacks_capability: {
    status: 400,
    code: 3,
    message: '(#3) Application does not have the capability to make this API call.',
  },

  // appsecret_proof
  proof_invalid: {
    status: 400,
    code: 100,
    type: 'GraphMethodException',
    message: 'Invalid appsecret_proof provided in the API argument',
  },
  proof_required: {
    status: 400,
    code: 100,
    type: 'GraphMethodException',
    message: 'API calls from the server require an appsecret_proof argument',
  },

  // Requests that are wrong
  exchange_token_missing: { status: 400, code: 1, message: 'fb_exchange_token parameter not specified' },
  secret_missing: { status: 400, code: 1, message: 'Missing client_secret parameter.' },
  code_missing: { status: 400, code: 1, message: 'Missing authorization code' },
  redirect_missing: { status: 400, code: 191, message: 'Missing redirect_uri parameter.' },
  redirect_blocked: {
    status: 400,
    code: 191,
    message:
      "Can't load URL: The domain of this URL isn't included in the app's domains. To be able to load this URL, add " +
      'all domains and subdomains of your app to the App Domains field in your app settings.',
  },
  path_unknown: { status: 400, code: 2500, message: 'Unknown path components: {path}' },
  token_missing: {
    status: 400,
    code: 2500,
    message: 'An active access token must be used to query information about the current user.',
  },
  token_required: { status: 400, code: 104, message: 'An access token is required to request this resource.' },
  invalid_parameter: { status: 400, code: 100, message: '(#100) {what}' },
  method_unsupported: { status: 400, code: 100, message: 'Unsupported request - method type: {method}' },
  cursor_invalid: { status: 400, code: 2642, message: '(#2642) Invalid cursors values' },
  ads_version_expired: {
    status: 400,
    code: 2635,
    message: '(#2635) You are calling a deprecated version of the Ads API. Please update to the latest version.',
  },
  duplicate_post: { status: 400, code: 506, message: '(#506) Duplicate status message' },

  // User tokens
  app_removed: {
    status: 400,
    code: 190,
    subcode: 458,
    message: 'Error validating access token: The user has not authorized application {app}.',
  },
  checkpoint: {
    status: 400,
    code: 190,
    subcode: 459,
    message:
      'Error validating access token: You cannot access the app till you log in to www.facebook.com and follow the ' +
      'instructions given.',
  },
  password_changed: {
    status: 400,
    code: 190,
    subcode: 460,
    message:
      'Error validating access token: The session has been invalidated because the user changed their password or ' +
      'Facebook has changed the session for security reasons.',
  },
  legacy_461: {
    status: 400,
    code: 190,
    subcode: 461,
    message: 'Error validating access token: The session is invalid.',
  },
  expired: {
    status: 400,
    code: 190,
    subcode: 463,
    message: 'Error validating access token: Session has expired on {expired}. The current time is {now}.',
  },
  unconfirmed: {
    status: 400,
    code: 190,
    subcode: 464,
    message:
      'Error validating access token: Sessions for the user are not allowed because the user is not a confirmed user.',
  },
  legacy_466: {
    status: 400,
    code: 190,
    subcode: 466,
    message: 'Error validating access token: The session has been invalidated.',
  },
  token_invalid: {
    status: 400,
    code: 190,
    subcode: 467,
    message: 'Error validating access token: The session is invalid because the user logged out.',
  },
  legacy_468: {
    status: 400,
    code: 190,
    subcode: 468,
    message: 'Error validating access token: The session is no longer valid.',
  },
  data_access_lapsed: {
    status: 400,
    code: 190,
    subcode: 493,
    message: "The access token is invalid since the user hasn't engaged the app in longer than 90 days.",
  },
  token_malformed: { status: 400, code: 190, message: 'Malformed access token {token}' },
  token_unreadable: {
    status: 400,
    code: 190,
    message: 'Invalid OAuth access token - Cannot parse access token',
  },
  token_unknown: { status: 400, code: 190, message: 'Invalid OAuth access token.' },
  token_signature: { status: 400, code: 190, message: 'Invalid OAuth access token signature.' },
  session_102: { status: 400, code: 102, message: 'Session key invalid or no longer valid' },
  on_behalf: {
    status: 400,
    code: 1,
    message: 'Cannot call API for app {app} on behalf of user {user}',
  },

  // Meta's own words and code for this are not known.
  refresh_too_early: {
    status: 400,
    code: 100,
    message: 'The access token must be at least 24 hours old to be refreshed',
  },

  // Pages and permissions
  page_role_lost: {
    status: 400,
    code: 190,
    subcode: 492,
    message:
      'Error validating access token: The user must be an administrator, editor, or moderator of the page in order to ' +
      'impersonate it. If the page business requires Two Factor Authentication, the user also needs to enable Two ' +
      'Factor Authentication.',
  },
  page_permission_lost: {
    status: 400,
    code: 190,
    message:
      'Any of the pages_read_engagement, pages_manage_metadata, pages_read_user_content, pages_manage_ads, ' +
      "pages_show_list or pages_messaging permission(s) must be granted before impersonating a user's page.",
  },
  object_unknown: {
    status: 400,
    code: 100,
    subcode: 33,
    type: 'GraphMethodException',
    message: `Unsupported {method} request. Object with ID '{id}' does not exist, ${UNSUPPORTED}`,
  },
  page_token_required: {
    status: 400,
    code: 210,
    message: '(#210) A page access token is required to request this resource.',
  },
  page_not_linked: {
    status: 400,
    code: 1,
    subcode: 2853001,
    message: 'The profile is not linked to delegate page',
    transient: false,
  },
  permission_10: {
    status: 403,
    code: 10,
    message: '(#10) Application does not have permission for this action',
  },
  permission_200: { status: 403, code: 200, message: '(#200) Requires {permission} permission' },
  permission_299: { status: 403, code: 299, message: '(#299) Requires extended permission' },
  permissions_missing: { status: 400, code: 100, message: '(#100) Missing permissions' },

  // Codes
  code_used: { status: 400, code: 100, subcode: 36009, message: 'This authorization code has been used.' },
  code_expired: { status: 400, code: 100, subcode: 36007, message: 'This authorization code has expired.' },
  code_redirect: {
    status: 400,
    code: 100,
    subcode: 36008,
    message:
      'Error validating verification code. Please make sure your redirect_uri is identical to the one you used in the ' +
      'OAuth dialog request',
  },
  code_invalid: { status: 400, code: 100, message: 'Invalid verification code format.' },
  instagram_code: {
    status: 400,
    code: 400,
    message: 'Matching code was not found or was already used',
    shape: 'instagram_oauth',
  },
  instagram_oauth: { status: 400, code: 400, message: '{what}', shape: 'instagram_oauth' },
  threads_app: {
    status: 400,
    code: 1349026,
    message:
      'No application data was given: There was a problem getting data for an application. The application may not be ' +
      'valid or there is a temporary glitch. Please try again later.',
    shape: 'threads_oauth',
  },
  threads_redirect: {
    status: 400,
    code: 1349168,
    message: 'Blocked redirect: the redirect URI is not whitelisted in the app’s client OAuth settings.',
    shape: 'threads_oauth',
  },
  threads_code: { status: 400, code: 1, message: 'An unknown error has occurred.', shape: 'threads_oauth' },
} as const satisfies Record<string, ErrorRow>

export type ErrorName = keyof typeof ERROR_TABLE
export const ERROR_NAMES = Object.keys(ERROR_TABLE) as [ErrorName, ...ErrorName[]]
