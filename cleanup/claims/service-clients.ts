import { commandOf } from '../platform/processes/details.ts'
import { hasEnded } from '../platform/processes/stat.ts'
import type { Claims } from './evidence.ts'

/** Programs that have a service run something. Known by name only, which decides what is said, and never what is ended. */
const CLIENTS: ReadonlySet<string> = new Set(['docker', 'podman', 'nerdctl', 'kubectl', 'systemd-run', 'ssh'])
/** How much of a command line goes into a sentence, in characters. */
const LONGEST = 200

/**
 * Names the claimed clients of such services, in sentences. Most clients end as soon as the service has what they brought
 * (`docker run -d`): nothing is left of those to name.
 */
export const describeServiceClients = ({ claimed }: Pick<Claims, 'claimed'>): string[] =>
  [...claimed.values()].flatMap(({ process }) =>
    CLIENTS.has(process.comm) && !hasEnded(process)
      ? `Process ${process.pid} (${process.comm}) asks a service to run something, which carries no trace of the agent and may go on. Its command line: ${commandOf(process).slice(0, LONGEST)}`
      : [],
  )
