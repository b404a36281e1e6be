import { findProgram } from '../platform/shell.ts'
import type { Contained } from '../registry/entries.ts'
import type { AgentRef } from '../registry/layout.ts'
import { belowTini } from './below-tini.ts'
import { inCgroup, makeCgroup } from './in-cgroup.ts'

/** How an agent is held together: around its pipeline, and in its registry entry. */
export interface Launch {
  /** What tmux starts in the pane. */
  command: string[]
  /** Known before the launch, so that a deploy which dies halfway leaves no cgroup that nobody knows of. */
  contained?: Contained
  /** What there is to record once the pane's process is there; undefined when nothing holds it after all. */
  confirm(panePid: number): Promise<Contained | undefined>
}

const CHOICES = ['auto', 'tini', 'cgroup', 'none'] as const

/**
 * Puts something around an agent's pipeline (a line for bash) that its processes cannot leave, whatever they do to
 * their parents, sessions and environments: a cgroup where one is delegated to us, otherwise a subreaper where `tini`
 * is on the PATH. LEAKRIG_CONTAINMENT chooses another: `tini`, `cgroup`, `none`. root may write every cgroup, so that
 * it can tells nothing: it gets one only when it asks.
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
