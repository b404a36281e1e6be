import { ensureBundles } from '../../bin/bundle.ts'
import { rigSet } from '../../bin/programs.ts'
import { CannotMeasureError } from '../errors.ts'
import { startNamespaceSandbox } from './namespace.ts'
import { requirePrograms } from './requirements.ts'
import type { Sandbox, SandboxChoice, SandboxKind, SandboxRights } from './sandbox.ts'

/** Which sandbox is used, and why, for the report. */
export interface ChosenSandbox {
  kind: SandboxKind
  why: string
}

/**
 * Chooses a sandbox, and starts one to check that it works and has the programs that the rig needs.
 * @throws CannotMeasureError when it does not
 */
export async function chooseSandbox(choice: SandboxChoice, forCatalogue = false): Promise<ChosenSandbox> {
  if (choice !== 'auto') return tryKind(choice, 'requested', forCatalogue)
  try {
    return await tryKind('container', 'a container engine answers', forCatalogue)
  } catch (error) {
    if (!(error instanceof CannotMeasureError)) throw error
    return tryKind('namespace', withoutAdvice(error.message), forCatalogue)
  }
}

async function tryKind(kind: SandboxKind, why: string, forCatalogue: boolean): Promise<ChosenSandbox> {
  await using sandbox = await startSandbox(kind)
  await requirePrograms(sandbox, forCatalogue)
  return { kind, why }
}

/** Starts a sandbox of that kind. Testcontainers is loaded only on demand, because that takes 0.4 s. */
export async function startSandbox(kind: SandboxKind, rights: SandboxRights = {}): Promise<Sandbox> {
  await ensureBundles(rigSet)
  if (kind === 'namespace') return startNamespaceSandbox(rights)
  const { startContainerSandbox } = await import('./container/container.ts')
  return startContainerSandbox()
}

/** "No container engine answers (...): start one ..." without the advice after the last colon. */
function withoutAdvice(message: string): string {
  return message.slice(0, message.lastIndexOf(': '))
}
