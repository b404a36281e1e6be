import { findProgram } from '../platform/shell.ts'
import type { AgentRef } from '../registry/layout.ts'
import { belowTini } from './below-tini.ts'
import { inCgroup, makeCgroup } from './in-cgroup.ts'
import type { Launch } from './launch.ts'

const CHOICES = ['auto', 'tini', 'cgroup', 'none'] as const

/**
 * Wraps an agent's pipeline (a line for bash) in something that its processes cannot leave, whatever they do to their
 * parents, sessions and environments: a cgroup where one is delegated to us, otherwise a subreaper where `tini` is on the
 * PATH. LEAKRIG_CONTAINMENT (`tini`, `cgroup`, `none`) overrides the choice. Root gets a cgroup only on request: root may
 * write to every cgroup, so being able to create one does not show that it was delegated.
 */
export function contain(ref: AgentRef, pipeline: string): Launch {
  const wanted = CHOICES.find(name => name === process.env.LEAKRIG_CONTAINMENT) ?? 'auto'
  const plain: Launch = { command: ['bash', '-c', pipeline], confirm: async () => undefined }
  const tini =
    process.platform === 'linux' && (wanted === 'tini' || wanted === 'auto') ? findProgram('tini') : undefined
  const otherwise = tini ? belowTini(ref, tini, pipeline) : plain
  const isDelegated = wanted === 'auto' && process.getuid?.() !== 0
  const folder = wanted === 'cgroup' || isDelegated ? makeCgroup(ref) : undefined
  return folder ? inCgroup(folder, pipeline, otherwise) : otherwise
}
