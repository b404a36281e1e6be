import fs from 'node:fs'
import { claim, isInside } from '../claims/claim.ts'
import type { Claims, Evidence } from '../claims/evidence.ts'
import { logWriters } from '../claims/log-writers.ts'
import type { Observation } from '../claims/observation.ts'
import { observe } from '../claims/observe.ts'
import { describeOtherUsers } from '../claims/other-users.ts'
import { type PipelineRole, pipelineRoles } from '../claims/pipeline-roles.ts'
import { ageMs, commandOf } from '../platform/processes/details.ts'
import { residentBytesOf } from '../platform/processes/memory.ts'
import { hasEnded } from '../platform/processes/stat.ts'
import { agentFiles } from '../registry/agent-files.ts'
import type { TaskRegistry } from '../registry/entries.ts'
import type { AgentRef } from '../registry/layout.ts'
import { findClaudeLeftovers } from './claude-leftovers/find.ts'
import type { ClaudeLeftover } from './claude-leftovers/leftover.ts'

export interface PlannedProcess {
  pid: number
  start: number
  ppid: number
  comm: string
  command: string
  role: PipelineRole
  evidence: Evidence[]
  /** How long ago it started, in ms. */
  ageMs: number
  memoryBytes?: number
}

export interface PlannedFile {
  file: string
  bytes: number
  /** Since it was last written, in ms. */
  ageMs: number
}

/** What a cleanup of one agent would do now. */
export interface Plan {
  /** In the order in which they are asked to end. */
  end: PlannedProcess[]
  session?: { id: string; name: string; socket: string }
  remove: PlannedFile[]
  /** What the agent's claude leaves when it is killed; most of it claude removes itself when it ends by the TERM. */
  claudeLeftovers: ClaudeLeftover[]
  archive: PlannedFile[]
  /** What stays although the cleanup would put it away, and why. */
  stays: string[]
  /** True when the work would be handed to a process outside, because this one is part of the agent. */
  handsOver: boolean
}

/** What was looked at, and what follows from it. */
export interface Planned {
  plan: Plan
  observation: Observation
  claims: Claims
}

const ORDER: PipelineRole[] = ['writer', 'other', 'reader', 'pane']

/** Looks, and says what a cleanup would do. Ends nothing; throws a CleanupError for what cannot be read or asked. */
export async function planFor(ref: AgentRef, registry: TaskRegistry): Promise<Planned> {
  const observation = await observe(ref, registry)
  const claims = claim(observation)
  const { going, stays } = findClaudeLeftovers(observation, claims)
  const plan = planOf(observation, claims)
  return { plan: { ...plan, claudeLeftovers: going, stays: [...plan.stays, ...stays] }, observation, claims }
}

/** The same without what claude leaves in its own folders: of a session that no registry lists nothing of that is removed. */
export function planOf(observation: Observation, claims: Claims): Plan {
  const { location, contained } = observation
  const files = agentFiles(observation.ref, observation.entry)
  const writer = logWriters(observation.openFiles, files.stream).find(({ pid }) => !claims.claimed.has(pid))
  const logs = [files.stream, files.progress, files.findings, files.deploy].flatMap(describeFile)
  return {
    end: processesOf(observation, claims),
    ...(location.session && {
      session: { id: location.session.id, name: location.session.name, socket: location.socket },
    }),
    remove: [
      files.prompt,
      files.adoptedChildren,
      ...(contained.cgroup ? [contained.cgroup.path] : []),
    ].flatMap(describeFile),
    claudeLeftovers: [],
    archive: logs.filter(({ file }) => !(writer && file === files.stream)),
    stays: [
      ...(writer ? [`${files.stream}: process ${writer.pid}, which is not claimed, writes it`] : []),
      ...(observation.sharedSession ? [observation.sharedSession.why] : []),
      ...describeOtherUsers(claims),
    ],
    handsOver: isInside(claims),
  }
}

function processesOf(observation: Observation, claims: Claims): PlannedProcess[] {
  const roleOf = pipelineRoles(observation, claims)
  const all = [...claims.claimed.values()].filter(({ process }) => !hasEnded(process))
  const planned = all.map(one => {
    const { pid, start, ppid, comm } = one.process
    const memoryBytes = residentBytesOf(pid)
    const known = { command: commandOf(one.process), role: roleOf(one), evidence: one.evidence }
    return {
      pid,
      start,
      ppid,
      comm,
      ...known,
      ageMs: ageMs(one.process),
      ...(memoryBytes && { memoryBytes }),
    }
  })
  return planned.sort((a, b) => ORDER.indexOf(a.role) - ORDER.indexOf(b.role) || a.pid - b.pid)
}

/** A file with its size and age; nothing when there is none. */
export function describeFile(file: string): PlannedFile[] {
  const found = fs.lstatSync(file, { throwIfNoEntry: false })
  return found ? [{ file, bytes: found.isFile() ? found.size : 0, ageMs: Date.now() - found.mtimeMs }] : []
}
