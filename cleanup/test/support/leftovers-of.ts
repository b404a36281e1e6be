import { type Measurement, measure } from '../../index.ts'

type Leftovers = NonNullable<Measurement['processes']>['leftovers']

/**
 * The leftover processes of a workspace. Other tests on this machine remove workspaces ahead of their processes, and every
 * measurement names those, too.
 */
export async function leftoversOf(workspace: string): Promise<Leftovers | undefined> {
  const { processes } = await measure([workspace])
  return processes?.leftovers.filter(({ why }) => !why.includes(' of a workspace that '))
}
