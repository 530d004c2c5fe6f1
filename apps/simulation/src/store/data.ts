import type { Account, AccountEvent, ApiKey, AuditEntry, Halt, Page, RefreshLogEntry } from '@tokenkeeper/core'
import type { Run, Schedule } from '@tokenkeeper/store'

/** What a store holds. Entities are never changed in place, so that a copy of the maps is a copy of all. */
export interface Data {
  readonly accounts: Map<string, Account>
  readonly pages: Map<string, Page>
  readonly halts: Map<string, Halt>
  readonly log: Map<string, RefreshLogEntry>
  readonly events: Map<string, AccountEvent>
  readonly audit: Map<string, AuditEntry>
  readonly runs: Map<string, Run>
  readonly schedules: Map<string, Schedule>
  readonly apiKeys: Map<string, ApiKey>
}

export function emptyData(): Data {
  return {
    accounts: new Map(),
    pages: new Map(),
    halts: new Map(),
    log: new Map(),
    events: new Map(),
    audit: new Map(),
    runs: new Map(),
    schedules: new Map(),
    apiKeys: new Map(),
  }
}

export function copyData(data: Data): Data {
  return {
    accounts: new Map(data.accounts),
    pages: new Map(data.pages),
    halts: new Map(data.halts),
    log: new Map(data.log),
    events: new Map(data.events),
    audit: new Map(data.audit),
    runs: new Map(data.runs),
    schedules: new Map(data.schedules),
    apiKeys: new Map(data.apiKeys),
  }
}
