import type { Ending as Status } from '../definition/definition.ts'
import type { Agent } from '../rig/agent.ts'
import type { Need } from '../rig/needs.ts'
import type { Rig } from '../rig/rig.ts'

/** One way in which an agent ends. */
interface Ending {
  /** The persona of the fake claude, unless the shape names one. */
  persona(rig: Rig): string
  /** What the system has to declare. */
  needs: readonly Need[]
  /** The agent's status in the registries afterwards. */
  status: Status
  happens(agent: Agent): Promise<unknown>
}

/** Every way in which an agent of the catalogue ends. */
export const endings = {
  'completes from inside': {
    persona: rig => rig.personaToComplete,
    needs: ['completion'],
    status: 'completed',
    happens: agent => agent.completes(),
  },
  'completes from outside': {
    persona: () => 'works',
    needs: ['completes.outside'],
    status: 'completed',
    happens: agent => agent.isReportedCompleted(),
  },
  killed: {
    persona: () => 'works',
    needs: ['kill'],
    status: 'terminated',
    happens: agent => agent.isKilled(),
  },
  /** SIGKILL, as the kernel's out-of-memory killer sends it. Nobody calls a tool. */
  crashed: {
    persona: () => 'works',
    needs: [],
    status: 'crashed',
    happens: agent => agent.losesItsClaude(),
  },
} satisfies Record<string, Ending>

export type EndingName = keyof typeof endings

export const endingNames = Object.keys(endings) as EndingName[]
