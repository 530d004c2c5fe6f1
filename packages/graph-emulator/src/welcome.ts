import type { GraphEmulator } from './emulator.ts'
import type { Example } from './example.ts'

/** What to try, with the example's own values. */
export function welcome(urls: GraphEmulator['urls'], example: Example | undefined, redirectUri: string): string {
  const addresses = `Graph emulator is ready. It forgets everything when it ends.

  graph.facebook.com, www.facebook.com         ${urls.facebook}
  graph.instagram.com, api.instagram.com       ${urls.instagram}
  graph.threads.net                            ${urls.threads}
  control (a browser shows what there is)      ${urls.control}`
  if (example === undefined) return addresses
  const { facebook, instagram, threads } = example.apps
  const dialog = new URLSearchParams({
    client_id: facebook.id,
    redirect_uri: redirectUri,
    scope: 'pages_show_list,pages_read_engagement',
    state: 'any',
  })
  return `${addresses}

Example apps (id, secret)
  facebook    ${facebook.id}  ${facebook.secret}
  instagram   ${instagram.id}  ${instagram.secret}
  threads     ${threads.id}  ${threads.secret}

To try: log in as ${example.email} with "${example.password}" at
  ${urls.facebook}/v26.0/dialog/oauth?${dialog}
or let a user in and take a token without a browser:
  curl ${urls.control}/grant --json '{"appId":"${facebook.id}","userId":"1001"}'
  curl ${urls.control}/issueToken --json '{"appId":"${facebook.id}","userId":"1001"}'
then, as at Meta:
  curl "${urls.facebook}/v26.0/me/accounts?access_token=TOKEN"
  curl -G ${urls.facebook}/v26.0/oauth/access_token -d grant_type=fb_exchange_token -d client_id=${facebook.id} \\
    -d client_secret=${facebook.secret} -d fb_exchange_token=TOKEN
  curl -G ${urls.facebook}/v26.0/debug_token -d input_token=TOKEN -d "access_token=${facebook.id}|${facebook.secret}"
and, to see time pass (ms) or an error:
  curl ${urls.control}/advanceClock --json '{"ms":5184000000}'
  curl ${urls.control}/inject --json '{"error":"app_limit"}'`
}
