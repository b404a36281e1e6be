import path from 'node:path'
import { CleanupError, words } from '../errors.ts'
import { parseJson, SMALL_BYTES } from '../files/json.ts'
import { readWithin } from '../files/regular-file.ts'
import { type PolicyTexts, parsePolicy, type RetentionPolicy } from './policy.ts'

export const policyFile = (workspace: string): string => path.join(workspace, 'registry', 'retention.json')

/**
 * A workspace's policy: what `registry/retention.json` in it says, and over that `texts`, option by option. The file
 * has the options' names: `{ "keep-days": "3,findings=30", "max-bytes": "2G", "compress": "zstd" }`.
 * Throws a CleanupError (`bad-argument`) for a file that is not that: a policy that is misunderstood deletes the wrong things.
 */
export async function policyOf(workspace: string, texts: PolicyTexts = {}): Promise<RetentionPolicy> {
  const file = policyFile(workspace)
  const written = await readTexts(workspace, file)
  const said = Object.entries(texts).filter(([, text]) => text !== undefined)
  try {
    return parsePolicy({ ...written, ...Object.fromEntries(said) })
  } catch (error) {
    if (Object.keys(written).length === 0) throw error
    throw new CleanupError('bad-argument', `${words(error)} (${file} counts as well.)`)
  }
}

async function readTexts(workspace: string, file: string): Promise<PolicyTexts> {
  const text = readOrRefuse(workspace, file)
  if (text === undefined) return {}
  // Not before there is a file to check: zod takes longer to load than a plan to make.
  const { z } = await import('zod')
  const option = z.union([z.string(), z.number()]).transform(String).optional()
  const names = z.strictObject({
    'keep-days': option,
    'keep-last': option,
    'max-bytes': option,
    'min-free': option,
    compress: option,
  })
  try {
    const read = names.parse(parseJson(text))
    return {
      keepDays: read['keep-days'],
      keepLast: read['keep-last'],
      maxBytes: read['max-bytes'],
      minFree: read['min-free'],
      compress: read.compress,
    }
  } catch (error) {
    throw refused(file, error instanceof z.ZodError ? z.prettifyError(error) : words(error))
  }
}

function readOrRefuse(workspace: string, file: string): string | undefined {
  try {
    return readWithin(workspace, file, SMALL_BYTES)
  } catch (error) {
    throw refused(file, words(error))
  }
}

const refused = (file: string, why: string): CleanupError =>
  new CleanupError('bad-argument', `The policy ${file} is refused: ${why}; nothing was deleted. Correct it.`)
