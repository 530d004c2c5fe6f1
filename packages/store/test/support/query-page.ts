import { readFileSync } from 'node:fs'
import { compileFunction } from 'node:vm'
import { mongo } from 'mongoose'

export interface QuerySection {
  readonly heading: string
  readonly sql: readonly string[]
  readonly mongosh: readonly string[]
}

export const QUERY_PAGE = readFileSync(new URL('../../../../docs/queries.md', import.meta.url), 'utf8')

/** The sections of docs/queries.md that hold queries. */
export function querySections(): QuerySection[] {
  return QUERY_PAGE.split(/^## /m)
    .slice(1)
    .map((section) => {
      const blocks = (language: string) =>
        [...section.matchAll(/^```(\w+)\n(.*?)^```$/gms)].flatMap(([, marked, code]) =>
          marked === language ? [code!] : [],
        )
      return { heading: section.slice(0, section.indexOf('\n')), sql: blocks('sql'), mongosh: blocks('js') }
    })
    .filter(({ sql, mongosh }) => sql.length + mongosh.length > 0)
}

/** What mongosh shows for `db.collection.find(…)` or `aggregate(…)`: its `find` takes a projection, the driver's options. */
export function inMongosh(db: mongo.Db, query: string): Promise<mongo.BSON.Document[]> {
  const shell = new Proxy(
    {},
    {
      get(_, name) {
        const collection = db.collection(String(name))
        return {
          find: (filter: mongo.BSON.Document, projection: mongo.BSON.Document) =>
            collection.find(filter, { projection }),
          aggregate: (pipeline: mongo.BSON.Document[]) => collection.aggregate(pipeline),
        }
      },
    },
  )
  return compileFunction(`return ${query.trim()}`, ['db'])(shell).toArray()
}

/** Ids as texts and dates as ms, as the store's entities have them. */
export function plain(value: unknown): unknown {
  if (value instanceof mongo.ObjectId) return value.toHexString()
  if (value instanceof Date) return value.getTime()
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]))
}
