import fs from 'node:fs'
import { isJson, type Json } from '../../files/json.ts'

/** The names in a folder; none where there is no folder, or none that we may read. */
export function list(folder: string): string[] {
  try {
    return fs.readdirSync(folder)
  } catch {
    return []
  }
}

/** The object in a JSON file; an empty one where there is none. */
export function readObject(file: string): Json {
  try {
    const found: unknown = JSON.parse(fs.readFileSync(file, 'utf8'))
    return isJson(found) ? found : {}
  } catch {
    return {}
  }
}
