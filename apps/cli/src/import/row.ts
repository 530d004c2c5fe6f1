/** One entry of a source, as it is there. */
export interface SourceRow {
  /** Of a file its line, from 1; of a table or a collection the number of the row. */
  readonly line: number
  /** Null: it cannot be read. */
  readonly fields: Readonly<Record<string, unknown>> | null
  /** What stands there if it cannot be read. Holds secrets. */
  readonly text?: string
}

/** Rows in the order of the source, read only as they are asked for. */
export type Rows = AsyncIterable<SourceRow>
