import { readFile } from 'node:fs/promises'
import { CodedError } from '@tokenkeeper/core'
import { z } from 'zod'
import { FIELDS, type Field, type Mapping, mappingOf, type PresetName, presetOf } from './fields.ts'

export interface MappingOptions {
  readonly preset?: PresetName
  /** A JSON object, field to place. */
  readonly mapFile?: string
  /** `field=place` each. */
  readonly map?: readonly string[]
}

const mapFile = z.partialRecord(z.enum(FIELDS), z.string().min(1))

/** The preset, over it the file, over that the options. Throws INVALID_REQUEST; places are not repeated. */
export async function readMapping({ preset, mapFile: path, map = [] }: MappingOptions): Promise<Mapping> {
  return {
    ...(preset && presetOf(preset)),
    ...(path !== undefined && mappingOf(await readMapFile(path))),
    ...mappingOf(Object.fromEntries(map.map(readMap))),
  }
}

function readMap(text: string): [Field, string] {
  const [, field, place] = /^(\w+)=(.+)$/s.exec(text) ?? []
  if (place !== undefined && FIELDS.some((name) => name === field)) return [field as Field, place]
  throw new CodedError('INVALID_REQUEST', {
    publicMessage: `--map must be FIELD=PATH or FIELD=:CONSTANT, and FIELD one of ${FIELDS.join(', ')}.`,
  })
}

async function readMapFile(path: string): Promise<Partial<Record<Field, string>>> {
  try {
    return mapFile.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch (cause) {
    throw new CodedError('INVALID_REQUEST', {
      publicMessage: `--map-file must hold a JSON object of texts, its names among ${FIELDS.join(', ')}.`,
      cause,
    })
  }
}
