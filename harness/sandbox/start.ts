import type { SandboxChoice } from './choices.ts'
import { checkNamespaces, startNamespaceSandbox } from './namespace.ts'
import { CannotMeasureError, type Sandbox, type SandboxKind } from './sandbox.ts'

/** Which sandbox it will be, and why, for the report. */
export interface ChosenSandbox {
  kind: SandboxKind
  why: string
}

/**
 * Decides for a sandbox and makes sure, in a real one, that it can be started and offers what the rig needs.
 * @throws CannotMeasureError with one sentence when it can not.
 */
export async function chooseSandbox(choice: SandboxChoice): Promise<ChosenSandbox> {
  await checkNamespaces()
  await using sandbox = await startNamespaceSandbox()
  await requireTmux(sandbox)
  return { kind: 'namespace', why: choice === 'auto' ? 'the only kind that this version has' : 'asked for' }
}

/** Starts a sandbox of that kind. */
export function startSandbox(_kind: SandboxKind): Promise<Sandbox> {
  return startNamespaceSandbox()
}

const oldestTmux = 3.2

/** `new-session -e`, by which an agent is marked, came with tmux 3.2. */
async function requireTmux({ probe, kind }: Sandbox): Promise<void> {
  const { tmux } = await probe.hello()
  const version = Number(/(\d+\.\d+)/.exec(tmux)?.[1])
  if (version >= oldestTmux) return
  const found = tmux ? `found ${tmux}` : 'found no tmux'
  throw new CannotMeasureError(
    `The rig needs tmux ${oldestTmux} or newer in the ${kind} sandbox, and ${found}: install it (Debian: apt-get install tmux) and run again.`,
  )
}
