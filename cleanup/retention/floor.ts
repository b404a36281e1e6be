import fs from 'node:fs'
import { decide, removable } from './apply-policy.ts'
import { formatBytes } from './bytes.ts'
import type { Floor, PlannedFile, RetentionPlan } from './plan-types.ts'
import type { RetentionPolicy } from './policy.ts'
import { largest } from './top-files.ts'

/**
 * Takes the oldest archives of all workspaces on a file system until so much of it is free as their own policies want,
 * and says what is in the way when that is not enough. Never more than archives: a live log is none.
 */
export function reachFloors(
  candidates: readonly PlannedFile[],
  workspaces: RetentionPlan['workspaces'],
): Floor[] {
  const floors = openFloors(candidates, workspaces)
  const policies = new Map(workspaces.map(({ workspace, policy }) => [workspace, policy]))
  for (const floor of floors) {
    const here = candidates.filter(({ device }) => device === floor.device)
    floor.freesBytes = sum(here.filter(({ action }) => action === 'remove'))
    for (const file of removable(here)) {
      const freeBytes = floor.freeBytes + floor.freesBytes
      if (freeBytes >= floor.wantedBytes) break
      // An agent can write its workspace's policy, which must not cost another workspace anything.
      if (freeBytes >= wantedBy(policies.get(file.workspace), floor.totalBytes)) continue
      // Under another name too (a backup that links): nothing would be won.
      if (file.freesBytes === 0) continue
      decide(file, 'remove', 'min-free', `less than ${formatBytes(floor.wantedBytes)} of the disk is free`)
      floor.freesBytes += file.freesBytes
    }
    floor.shortage = shortage(floor, candidates, workspaces)
  }
  return floors
}

/** The floors as they stand after a plan was carried out. */
export function reviewFloors(plan: RetentionPlan): Floor[] {
  return plan.floors.map(floor => {
    const stat = statfs(floor.folder)
    if (!stat) return floor
    const freeBytes = freeOf(stat)
    const now = { ...floor, freeBytes, freesBytes: 0 }
    return { ...now, shortage: shortage(now, plan.files, plan.workspaces) }
  })
}

/** A floor for each file system that holds a workspace, or archives of one that lie elsewhere. */
function openFloors(candidates: readonly PlannedFile[], workspaces: RetentionPlan['workspaces']): Floor[] {
  const floors = new Map<string, Floor>()
  for (const { workspace, policy } of workspaces) {
    if (!policy.minFree) continue
    const elsewhere = candidates.filter(file => file.workspace === workspace)
    const folders = new Map(
      elsewhere.map(({ device, taskId, part }) => [device, `${workspace}/${taskId}/${part}`]),
    )
    const root = fs.statSync(workspace, { bigint: true, throwIfNoEntry: false })
    if (root) folders.set(String(root.dev), workspace)
    for (const [device, folder] of folders) raise(floors, device, folder, policy)
  }
  return [...floors.values()]
}

/** Where several workspaces want a floor under the same file system, the highest one counts. */
function raise(floors: Map<string, Floor>, device: string, folder: string, policy: RetentionPolicy): void {
  const stat = statfs(folder)
  if (!stat) return
  const totalBytes = stat.blocks * stat.frsize
  const wantedBytes = wantedBy(policy, totalBytes)
  const known = floors.get(device)
  if (known && known.wantedBytes >= wantedBytes) return
  const freeBytes = freeOf(stat)
  floors.set(device, { device, folder, wantedBytes, freeBytes, freesBytes: 0, totalBytes, shortage: [] })
}

/** How much a policy wants free of a file system of that size, in bytes; 0 when it says nothing. */
function wantedBy(policy: RetentionPolicy | undefined, totalBytes: number): number {
  const { minFree = { bytes: 0 } } = policy ?? {}
  return 'bytes' in minFree ? minFree.bytes : Math.ceil((totalBytes * minFree.percent) / 100)
}

/** Undefined when the folder went away while we looked: then nothing of it is left to speak of. */
function statfs(folder: string): fs.StatsFs | undefined {
  try {
    return fs.statfsSync(folder)
  } catch {
    return undefined
  }
}

/** What everybody can use: a part of the free blocks may be root's alone. */
const freeOf = ({ bavail, frsize }: fs.StatsFs): number => bavail * frsize

function shortage(
  { device, folder, wantedBytes, freeBytes, freesBytes, totalBytes }: Floor,
  files: readonly PlannedFile[],
  workspaces: RetentionPlan['workspaces'],
): string[] {
  if (freeBytes + freesBytes >= wantedBytes) return []
  const kept = files.filter(
    file => file.device === device && (file.rule === 'keep-last' || file.rule === 'hold'),
  )
  const keptBytes = sum(kept)
  const lines = [
    `The file system of ${folder} has ${formatBytes(freeBytes + freesBytes)} free of the ${formatBytes(wantedBytes)} wanted, and no archive that may go is left.`,
  ]
  if (keptBytes > 0) lines.push(`${formatBytes(keptBytes)} of archives are kept by keep-last or by a hold.`)
  const used = largest(
    workspaces.map(({ workspace }) => workspace),
    device,
  )
  lines.push(
    `The workspaces use ${formatBytes(used.bytes)} of the ${formatBytes(totalBytes)}; the largest files in them:`,
  )
  lines.push(...used.files.map(({ path, bytes }) => `  ${formatBytes(bytes)} ${path}`))
  return lines
}

const sum = (files: readonly PlannedFile[]): number =>
  files.reduce((bytes, { freesBytes }) => bytes + freesBytes, 0)
