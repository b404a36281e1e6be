import { ensureBundles } from '../../bin/bundle.ts'
import { rigSet } from '../../bin/programs.ts'
import { CannotMeasureError } from '../errors.ts'
import { printable } from '../terminal.ts'
import { startNamespaceSandbox } from './namespace.ts'
import { InstallFailure, type SandboxNeeds, WrongNeed } from './needs.ts'
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
 * @throws WrongNeed when no sandbox of that kind can have what the system needs
 */
export async function chooseSandbox(
  choice: SandboxChoice,
  forCatalogue = false,
  needs: SandboxNeeds = {},
): Promise<ChosenSandbox> {
  const tryKind = (kind: SandboxKind, why: string) => checked(kind, why, forCatalogue, needs)
  if (needs.engines && needs.engines.length > 0) return onEach(needs.engines, needs, forCatalogue)
  if (choice !== 'auto') return tryKind(choice, 'requested')
  if (needs.image !== undefined) return tryKind('container', 'for the image')
  try {
    return await tryKind('container', 'a container engine answers')
  } catch (error) {
    if (!(error instanceof CannotMeasureError)) throw error
    if (error instanceof WrongNeed || error instanceof InstallFailure) throw error
    return tryKind('namespace', withoutAdvice(error.message))
  }
}

/** Each engine has to start a sandbox, which also makes its image there and shows whether it has another address. */
async function onEach(
  engines: readonly string[],
  needs: SandboxNeeds,
  forCatalogue: boolean,
): Promise<ChosenSandbox> {
  const { requireEngines, requireOnlyAt } = await import('./container/engines.ts')
  await requireEngines(engines)
  const why = engines.length === 1 ? 'requested' : `on ${engines.length} engines`
  for (const [at, engine] of engines.entries())
    await checked('container', why, forCatalogue, { ...needs, engines: [engine] }, sandbox =>
      requireOnlyAt(engine, sandbox.traces().container, engines.slice(0, at)),
    ).catch(error => {
      if (engines.length > 1 && error instanceof CannotMeasureError && !(error instanceof WrongNeed))
        error.message = `On ${printable(engine)}: ${error.message}`
      throw error
    })
  return { kind: 'container', why }
}

async function checked(
  kind: SandboxKind,
  why: string,
  forCatalogue: boolean,
  needs: SandboxNeeds,
  check: (sandbox: Sandbox) => Promise<void> = async () => {},
): Promise<ChosenSandbox> {
  await using sandbox = await startSandbox(kind, {}, needs)
  await check(sandbox)
  await requirePrograms(sandbox, forCatalogue)
  return { kind, why }
}

/** Starts a sandbox of that kind. Testcontainers is loaded only on demand, because that takes 0.4 s. */
export async function startSandbox(
  kind: SandboxKind,
  rights: SandboxRights = {},
  needs: SandboxNeeds = {},
): Promise<Sandbox> {
  await ensureBundles(rigSet)
  if (kind === 'namespace') return startNamespaceSandbox(rights, needs)
  const { startContainerSandbox } = await import('./container/container.ts')
  return startContainerSandbox(needs)
}

/** "No container engine answers (...): start one ..." without the advice after the last colon. */
function withoutAdvice(message: string): string {
  return message.slice(0, message.lastIndexOf(': '))
}
