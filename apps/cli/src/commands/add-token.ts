import { text as readAll } from 'node:stream/consumers'
import { isCancel, password } from '@clack/prompts'
import type { ProviderOptions } from '@tokenkeeper/context'
import { CodedError, type Platform } from '@tokenkeeper/core'
import {
  connectInstagramToken,
  connectMetaToken,
  connectSystemUser,
  connectThreadsToken,
  type FreshLogin,
} from '@tokenkeeper/providers'
import { accountForPrograms } from '../accounts/facts.ts'
import { openContext } from '../open-context.ts'
import type { Output } from '../output.ts'
import { describePlatforms } from '../platforms.ts'
import { loadSettings } from '../settings.ts'

interface Options {
  readonly owner: string
  readonly tokenStdin?: boolean
  readonly systemUser?: boolean
}

/** Connects an account by a token that the operator has; the provider is asked whose it is and what it may. */
export function addToken(platform: Exclude<Platform, 'bluesky'>) {
  return async ({ owner, tokenStdin, systemUser = false }: Options, output: Output): Promise<number> => {
    const config = loadSettings()
    const token = tokenStdin ? (await readAll(process.stdin)).trim() : await askToken()
    if (token === '') throw new CodedError('INPUT_MISSING', { publicMessage: 'stdin held no token.' })
    await using context = await openContext(config, output)
    const login = await logIn(context.providerOptions, platform, token, systemUser)
    const account = await context.engine.connectAccount(login, { ownerId: owner, actor: 'cli' })
    output.result(accountForPrograms(account))
    output.say(`Connected ${account.displayName} (${account.externalId}) as account ${account.id}.`)
    return 0
  }
}

function logIn(
  { meta, instagram, threads }: ProviderOptions,
  platform: Exclude<Platform, 'bluesky'>,
  token: string,
  isOfSystemUser: boolean,
): Promise<FreshLogin> {
  if (platform === 'meta' && meta)
    return isOfSystemUser ? connectSystemUser(meta, token) : connectMetaToken(meta, token)
  if (platform === 'instagram' && instagram) return connectInstagramToken(instagram, token)
  if (platform === 'threads' && threads) return connectThreadsToken(threads, token)
  const on: Platform[] = ['bluesky', ...(meta ? ['meta' as const] : [])]
  if (instagram) on.push('instagram')
  if (threads) on.push('threads')
  throw new CodedError('PROVIDER_OFF', { publicMessage: `This platform is not configured: ${describePlatforms(on)}.` })
}

async function askToken(): Promise<string> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw new CodedError('INPUT_MISSING', { publicMessage: 'There is no terminal to ask in: give --token-stdin.' })
  }
  const answer = await password({ message: 'Access token, short- or long-lived' })
  if (isCancel(answer)) throw new CodedError('INPUT_MISSING', { publicMessage: 'Cancelled; nothing was changed.' })
  return answer.trim()
}
