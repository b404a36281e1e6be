import { ensureBundles } from '../../bin/bundle.ts'
import { rigSet } from '../../bin/programs.ts'
import { CannotMeasureError } from '../errors.ts'
import { startNamespaceSandbox } from './namespace.ts'
import { requirePrograms } from './requirements.ts'
import type { Sandbox, SandboxChoice, SandboxKind, SandboxRights } from './sandbox.ts'

/** Which sandbox it will be, and why, for the report. */
export interface ChosenSandbox {
  kind: SandboxKind
  why: string
}

/**
 * Decides for a sandbox and makes sure, in a real one, that it can be started and offers what the rig needs.
 * @throws CannotMeasureError with one sentence when it can not.
 */
export async function chooseSandbox(choice: SandboxChoice, forCatalogue = false): Promise<ChosenSandbox> {
  if (choice !== 'auto') return tried(choice, 'asked for', forCatalogue)
  try {
    return await tried('container', 'a container engine answers', forCatalogue)
  } catch (error) {
    if (!(error instanceof CannotMeasureError)) throw error
    return tried('namespace', sentenceStart(error.message), forCatalogue)
  }
}

async function tried(kind: SandboxKind, why: string, forCatalogue: boolean): Promise<ChosenSandbox> {
  await using sandbox = await startSandbox(kind)
  await requirePrograms(sandbox, forCatalogue)
  return { kind, why }
}

/** Starts a sandbox of that kind. Testcontainers is loaded only when it is wanted: it takes 0.4 s. */
export async function startSandbox(kind: SandboxKind, rights: SandboxRights = {}): Promise<Sandbox> {
  await ensureBundles(rigSet)
  if (kind === 'namespace') return startNamespaceSandbox(rights)
  const { startContainerSandbox } = await import('./container/container.ts')
  return startContainerSandbox()
}

/** "No container engine answers (...): start one ..." without its advice, which stands behind the last colon. */
function sentenceStart(message: string): string {
  return message.slice(0, message.lastIndexOf(': '))
}
