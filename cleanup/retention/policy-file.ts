import path from 'node:path'
import { CleanupError, messageOf } from '../errors.ts'
import { isJson, parseJson, SMALL_BYTES } from '../platform/files/json.ts'
import { readWithin } from '../platform/files/regular-file.ts'
import { type PolicyTexts, parsePolicy, type RetentionPolicy } from './policy.ts'

export const policyFile = (workspace: string): string => path.join(workspace, 'registry', 'retention.json')

/**
 * A workspace's policy: what `registry/retention.json` in it says, and over that `texts`, option by option. The file
 * has the options' names: `{ "keep-days": "3,findings=30", "max-bytes": "2G", "compress": "zstd" }`.
 * Throws a CleanupError (`bad-argument`) for a file that is not that: a policy that is misunderstood deletes the wrong things.
 */
export async function policyOf(workspace: string, texts: PolicyTexts = {}): Promise<RetentionPolicy> {
  const file = policyFile(workspace)
  const written = readTexts(workspace, file)
  const said = Object.entries(texts).filter(([, text]) => text !== undefined)
  try {
    return parsePolicy({ ...written, ...Object.fromEntries(said) })
  } catch (error) {
    if (Object.keys(written).length === 0) throw error
    throw new CleanupError('bad-argument', `${messageOf(error)} (${file} counts as well.)`)
  }
}

function readTexts(workspace: string, file: string): PolicyTexts {
  const text = readOrRefuse(workspace, file)
  if (text === undefined) return {}
  try {
    return textsOf(parseJson(text))
  } catch (error) {
    throw refused(file, messageOf(error))
  }
}

/** What each option of the file is called in the program. */
const OPTIONS: ReadonlyMap<string, keyof PolicyTexts> = new Map([
  ['keep-days', 'keepDays'],
  ['keep-last', 'keepLast'],
  ['max-bytes', 'maxBytes'],
  ['min-free', 'minFree'],
  ['compress', 'compress'],
])

function textsOf(read: unknown): PolicyTexts {
  if (!isJson(read)) throw new Error('expected a JSON object')
  const texts = Object.entries(read).map(([name, value]) => {
    const option = OPTIONS.get(name)
    if (!option)
      throw new Error(`it has an option ${JSON.stringify(name)}; expected ${[...OPTIONS.keys()].join(', ')}`)
    if (typeof value !== 'string' && typeof value !== 'number')
      throw new Error(`expected a text or a number for ${JSON.stringify(name)}`)
    return [option, String(value)]
  })
  return Object.fromEntries(texts)
}

function readOrRefuse(workspace: string, file: string): string | undefined {
  try {
    return readWithin(workspace, file, SMALL_BYTES)
  } catch (error) {
    throw refused(file, messageOf(error))
  }
}

const refused = (file: string, why: string): CleanupError =>
  new CleanupError('bad-argument', `The policy ${file} is refused: ${why}; nothing was deleted. Correct it.`)
