import {
  type ApiKey,
  type ApiRole,
  type AuditAction,
  CodedError,
  hashApiKey,
  makeApiKey,
  makeId,
  systemClock,
} from '@tokenkeeper/core'
import { openStore, type Store } from '@tokenkeeper/store'
import { openExistingStore } from '../open-existing-store.ts'
import type { Output } from '../output.ts'
import { loadSettings } from '../settings.ts'
import { renderTable } from '../table.ts'
import { isoTime } from '../times.ts'

const ACTOR = 'cli'

interface CreateOptions {
  readonly name: string
  readonly role: ApiRole
}

/** Makes a key to the API and shows it, this once. */
export async function createApiKey({ name, role }: CreateOptions, output: Output): Promise<number> {
  await using store = await openStore(loadSettings().store.url.reveal())
  const id = makeId()
  const key = makeApiKey(id)
  const createdAt = systemClock.now()
  await recordAct(store, 'api_key.created', `${name} (${id}), ${role}`)
  await store.apiKeys.insert({ id, name, role, hash: hashApiKey(key), createdAt, createdBy: ACTOR, revokedAt: null })
  // Once: to a person, or to a program that may well keep what the other stream says.
  if (output.json) output.result({ id, name, role, key, createdAt: isoTime(createdAt) })
  else output.say(`API key ${id} of the role ${role}, for ${name}. It is shown this once:\n\n  ${key}\n`)
  return 0
}

export async function listApiKeys(_options: object, output: Output): Promise<number> {
  await using store = await openExistingStore(loadSettings())
  const keys = (await store?.apiKeys.list()) ?? []
  if (output.json) output.result(keys.map(keyForPrograms))
  else if (keys.length === 0) output.say('No API keys yet. Make one: pnpm tokenkeeper api-keys create --name NAME')
  else output.say(keyTable(keys))
  return 0
}

/** Ends a key, and the sessions that it opened, at once. */
export async function revokeApiKey({ id }: { readonly id: string }, output: Output): Promise<number> {
  await using store = await openExistingStore(loadSettings())
  const key = (await store?.apiKeys.get(id)) ?? null
  if (store === null || key === null) {
    throw new CodedError('API_KEY_NOT_FOUND', {
      publicMessage: 'There is no such API key. `pnpm tokenkeeper api-keys list` shows their ids.',
    })
  }
  const revoked = await store.apiKeys.revoke(id, systemClock.now())
  if (revoked) await recordAct(store, 'api_key.revoked', `${key.name} (${id})`)
  output.say(revoked ? `Revoked the API key ${id} (${key.name}).` : `The API key ${id} was revoked before.`)
  output.result({ id, name: key.name, revoked })
  return 0
}

async function recordAct({ audit }: Store, action: AuditAction, detail: string): Promise<void> {
  await audit.insert([{ id: makeId(), accountId: '', action, actor: ACTOR, detail, at: systemClock.now() }])
}

function keyForPrograms({ id, name, role, createdAt, createdBy, revokedAt }: ApiKey) {
  return { id, name, role, createdAt: isoTime(createdAt), createdBy, revokedAt: isoTime(revokedAt) }
}

function keyTable(keys: readonly ApiKey[]): string {
  const rows = keys.map(({ id, name, role, createdAt, revokedAt }) => [
    id,
    name,
    role,
    isoTime(createdAt) ?? '',
    isoTime(revokedAt) ?? '-',
  ])
  return renderTable(['id', 'name', 'role', 'created', 'revoked'], rows)
}
