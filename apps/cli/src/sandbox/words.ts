import type { Config } from '@tokenkeeper/config'
import { type Account, DAY } from '@tokenkeeper/core'
import { AGE_MS, type SandboxGraph } from './graph.ts'
import { ACCOUNTS, PAGES } from './populate.ts'

export function greeting(unconfigured: boolean): string {
  return `Tokenkeeper sandbox: the real work, on sample accounts. Nothing leaves this machine.
${
  unconfigured
    ? 'Nothing is configured yet. To keep your own account: pnpm tokenkeeper accounts add bluesky, then start again.'
    : 'Your own accounts are left alone. To keep them: pnpm start'
}
`
}

export function describeGraph({ emulator: { urls } }: SandboxGraph): string {
  const { facebook, instagram, threads, control } = urls
  return `  Meta      ${facebook}, an emulator on this machine; Instagram ${instagram}, Threads ${threads}
  Control   ${control}, where its users remove the app, change their passwords and so on`
}

export function describeAccounts(): string {
  const { bluesky, meta, instagram, threads } = ACCOUNTS
  const names = `${bluesky} Bluesky, ${meta} Meta with ${PAGES} Pages, ${instagram} Instagram, ${threads} Threads`
  const all = bluesky + meta + instagram + threads
  return `${all}: ${names},
            connected ${AGE_MS / DAY} days ago by the emulator's clock, so all of them are due`
}

/** What to look at while it runs, and how to make things happen. */
export function staysUp(
  api: string,
  { api: { adminKey } }: Config,
  { emulator, apps }: SandboxGraph,
  example: Account,
): string {
  const key = adminKey?.reveal() ?? ''
  const { control } = emulator.urls
  return `
It stays up now and looks every minute for what is due; here, one Bluesky or Meta account is made due each minute.
  Queues and jobs: ${api}/queues, log in with the key of this sandbox: ${key}
From another terminal:
  pnpm tokenkeeper accounts list --sandbox
  pnpm tokenkeeper log --sandbox
To see ${example.displayName} remove the app, and what becomes of the account:
  curl ${control}/removeApp --json '{"appId":"${apps.facebook.id}","userId":"${example.externalId}"}'
  curl ${api}/api/admin/refresh-tokens -H 'Authorization: Bearer ${key}' --json '{"accountId":"${example.id}"}'
What else can happen at Meta: ${control} in a browser. The emulator's clock is that of Tokenkeeper here: to see 30 days pass,
  curl ${control}/advanceClock --json '{"ms":2592000000}'
Ctrl-C ends it.
`
}
