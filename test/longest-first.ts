import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * Files that take minutes, most of it waiting, the longest first. Vitest orders by project and, where it has not seen a file run
 * before, by size: these would begin when the others are done, and run alone.
 */
export const longest = [
  'harness/test/project/package.test.ts',
  'harness/test/sandbox/remote-engine.test.ts',
  'harness/test/sandbox/several-engines.test.ts',
  'harness/test/soak/slow-leaks.test.ts',
  'harness/test/sandbox/engine-killed.test.ts',
  'harness/test/sandbox/container.test.ts',
  'harness/test/systems/orchestrators.test.ts',
]

export function longestFirst<T extends Pick<TestSpecification, 'moduleId'>>(
  specifications: readonly T[],
): T[] {
  const rank = ({ moduleId }: T) => {
    const at = longest.findIndex(file => moduleId.endsWith(`/${file}`))
    return at === -1 ? longest.length : at
  }
  return specifications.toSorted((one, other) => rank(one) - rank(other))
}

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return longestFirst(await super.sort(files))
  }
}
