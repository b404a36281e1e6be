import type { SandboxKind } from '../sandbox/sandbox.ts'
import type { SoakPlan } from '../soak/round.ts'
import { UsageError } from './exit.ts'

/** How long a soak may begin rounds in a container, which lives for half an hour (container.ts). */
const longestMs = 25 * 60_000

/**
 * A soak that only `--for` ends needs a sandbox that lives so long; one with `--repeat` may end long before.
 * @throws UsageError when a container would end first
 */
export function requireTime(kind: SandboxKind, { rounds, forMs = 0 }: SoakPlan): void {
  if (kind === 'container' && rounds === undefined && forMs > longestMs)
    throw new UsageError(
      'A container ends after about half an hour: take --for 25m at most, or --sandbox namespace.',
    )
}
