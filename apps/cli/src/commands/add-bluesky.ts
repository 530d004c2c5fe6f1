import { text as readAll } from 'node:stream/consumers'
import { isCancel, password, text } from '@clack/prompts'
import { CodedError } from '@tokenkeeper/core'
import { connectBluesky } from '@tokenkeeper/providers'
import { accountForPrograms } from '../accounts/facts.ts'
import { openContext } from '../open-context.ts'
import type { Output } from '../output.ts'
import { loadSettings } from '../settings.ts'

interface Options {
  readonly handle?: string
  readonly service?: string
  readonly owner: string
  readonly appPasswordStdin?: boolean
  readonly keepAppPassword?: boolean
}

export async function addBluesky(options: Options, output: Output): Promise<number> {
  const config = loadSettings()
  const identifier = options.handle ?? (await ask('--handle', askHandle))
  const appPassword = options.appPasswordStdin
    ? (await readAll(process.stdin)).trim()
    : await ask('--app-password-stdin', askAppPassword)
  await using context = await openContext(config, output)
  const login = await connectBluesky(context.providerOptions.bluesky, {
    identifier,
    appPassword,
    ...(options.service !== undefined && { service: options.service }),
  })
  const account = await context.engine.connectAccount(login, {
    ownerId: options.owner,
    actor: 'cli',
    ...(options.keepAppPassword && { appPassword }),
  })
  output.result(accountForPrograms(account))
  output.say(
    `Connected ${account.displayName} (${account.externalId}) at ${account.serviceUrl} as account ${account.id}.`,
  )
  output.say('`pnpm start` keeps it alive; `pnpm tokenkeeper accounts list` shows how it is.')
  return 0
}

/** Asks a person; where there is none, names the option that answers instead. */
async function ask(option: string, prompt: () => Promise<string | symbol>): Promise<string> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw new CodedError('INPUT_MISSING', { publicMessage: `There is no terminal to ask in: give ${option}.` })
  }
  const answer = await prompt()
  if (isCancel(answer)) throw new CodedError('INPUT_MISSING', { publicMessage: 'Cancelled; nothing was changed.' })
  return answer as string
}

const askHandle = () =>
  text({ message: 'Bluesky handle', placeholder: 'name.bsky.social', validate: required('A handle is needed.') })

const askAppPassword = () =>
  password({
    message: 'App password, made at Settings → Privacy and security → App passwords',
    validate: required('An app password is needed.'),
  })

function required(complaint: string) {
  return (value: string | undefined) => (value?.trim() ? undefined : complaint)
}
