import fs from 'node:fs'
import path from 'node:path'
import { CleanupError, words } from '../errors.ts'
import { type PolicyTexts, parsePolicy, type RetentionPolicy } from './policy.ts'

export const policyFile = (workspace: string): string => path.join(workspace, 'registry', 'retention.json')

/**
 * A workspace's policy: what `registry/retention.json` in it says, and over that `texts`, option by option. The file
 * has the options' names: `{ "keep-days": "3,findings=30", "max-bytes": "2G", "compress": "zstd" }`.
 * Throws a CleanupError (`bad-argument`) for a file that is not that: a policy that is misunderstood deletes the wrong things.
 */
export async function policyOf(workspace: string, texts: PolicyTexts = {}): Promise<RetentionPolicy> {
  const file = policyFile(workspace)
  const written = await readTexts(file)
  const said = Object.entries(texts).filter(([, text]) => text !== undefined)
  try {
    return parsePolicy({ ...written, ...Object.fromEntries(said) })
  } catch (error) {
    if (Object.keys(written).length === 0) throw error
    throw new CleanupError('bad-argument', `${words(error)} (${file} counts as well.)`)
  }
}

async function readTexts(file: string): Promise<PolicyTexts> {
  const found = fs.lstatSync(file, { throwIfNoEntry: false })
  if (!found) return {}
  // Not before there is a file to check: zod takes longer to load than a plan to make.
  const { z } = await import('zod')
  const text = z.union([z.string(), z.number()]).transform(String).optional()
  const names = z.strictObject({
    'keep-days': text,
    'keep-last': text,
    'max-bytes': text,
    'min-free': text,
    compress: text,
  })
  try {
    if (!found.isFile()) throw new Error('expected a regular file')
    const read = names.parse(JSON.parse(fs.readFileSync(file, 'utf8')))
    return {
      keepDays: read['keep-days'],
      keepLast: read['keep-last'],
      maxBytes: read['max-bytes'],
      minFree: read['min-free'],
      compress: read.compress,
    }
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : words(error)
    throw new CleanupError(
      'bad-argument',
      `The policy ${file} is refused: ${why}; nothing was deleted. Correct it.`,
    )
  }
}
