import fs from 'node:fs'
import { formatBytes } from '../platform/bytes.ts'
import { decide, removableOldestFirst } from './apply-policy.ts'
import type { FileDecision, Floor, RetentionPlan } from './plan-types.ts'
import type { RetentionPolicy } from './policy.ts'
import { topFiles } from './top-files.ts'

type FloorPlan = Pick<RetentionPlan, 'policy' | 'workspaces'>

/**
 * Marks the oldest archives of all workspaces on a file system for removal until as much is free there as the policy
 * wants, and explains a shortage that remains. Only candidates are marked, so a live log never is.
 */
export function applyFloors(candidates: readonly FileDecision[], plan: FloorPlan): Floor[] {
  const floors = findFloors(candidates, plan)
  for (const floor of floors) {
    const here = candidates.filter(({ device }) => device === floor.device)
    floor.freesBytes = freedBy(here.filter(({ action }) => action === 'remove'))
    for (const file of removableOldestFirst(here)) {
      if (floor.freeBytes + floor.freesBytes >= floor.wantedBytes) break
      // Another hard link (a backup) keeps the bytes.
      if (file.freesBytes === 0) continue
      decide(file, 'remove', 'min-free', `less than ${formatBytes(floor.wantedBytes)} of the disk is free`)
      floor.freesBytes += file.freesBytes
    }
    floor.shortage = shortage(floor, candidates, plan)
  }
  return floors
}

/** The floors after a plan was executed. */
export function remeasureFloors(plan: RetentionPlan): Floor[] {
  return plan.floors.map(floor => {
    const stat = statfs(floor.folder)
    if (!stat) return floor
    const now = { ...floor, freeBytes: freeOf(stat), freesBytes: 0 }
    return { ...now, shortage: shortage(now, plan.files, plan) }
  })
}

/** Free bytes on the file system of a folder against what the policy wants. Throws what statfs(2) throws. */
export function isBelowFloor(folder: string, { minFree }: RetentionPolicy): boolean {
  if (!minFree) return false
  const stat = fs.statfsSync(folder)
  return freeOf(stat) < wantedBytes(minFree, stat)
}

/** A floor for each file system that holds a workspace, or archives of one that are on another disk. */
function findFloors(
  candidates: readonly FileDecision[],
  { policy: { minFree }, workspaces }: FloorPlan,
): Floor[] {
  if (!minFree) return []
  const folders = new Map<string, string>()
  for (const { workspace } of workspaces) {
    const root = fs.statSync(workspace, { bigint: true, throwIfNoEntry: false })
    if (root) folders.set(String(root.dev), workspace)
  }
  for (const { device, workspace, taskId, part } of candidates)
    if (!folders.has(device)) folders.set(device, `${workspace}/${taskId}/${part}`)
  return [...folders].flatMap(([device, folder]) => {
    const stat = statfs(folder)
    if (!stat) return []
    const sizes = {
      wantedBytes: wantedBytes(minFree, stat),
      freeBytes: freeOf(stat),
      totalBytes: totalOf(stat),
    }
    return { device, folder, ...sizes, freesBytes: 0, shortage: [] }
  })
}

function wantedBytes(minFree: NonNullable<RetentionPolicy['minFree']>, stat: fs.StatsFs): number {
  return 'bytes' in minFree ? minFree.bytes : Math.ceil((totalOf(stat) * minFree.percent) / 100)
}

/** Undefined when the folder was removed meanwhile. */
function statfs(folder: string): fs.StatsFs | undefined {
  try {
    return fs.statfsSync(folder)
  } catch {
    return undefined
  }
}

const totalOf = (stats: fs.StatsFs): number => stats.blocks * unitOf(stats)
/** Not bfree: a file system may reserve some free blocks for root. */
const freeOf = (stats: fs.StatsFs): number => stats.bavail * unitOf(stats)
/** Node 22 has no `frsize` yet; on most file systems the two are the same. */
const unitOf = ({ frsize, bsize }: Omit<fs.StatsFs, 'frsize'> & { frsize?: number }): number =>
  frsize ?? bsize

function shortage(
  { device, folder, wantedBytes, freeBytes, freesBytes, totalBytes }: Floor,
  files: readonly FileDecision[],
  { workspaces }: FloorPlan,
): string[] {
  if (freeBytes + freesBytes >= wantedBytes) return []
  const kept = files.filter(
    file => file.device === device && (file.rule === 'keep-last' || file.rule === 'hold'),
  )
  const keptBytes = freedBy(kept)
  const lines = [
    `The file system of ${folder} has ${formatBytes(freeBytes + freesBytes)} free of the ${formatBytes(wantedBytes)} wanted, and no further archive may be removed.`,
  ]
  if (keptBytes > 0) lines.push(`${formatBytes(keptBytes)} of archives are kept by keep-last or by a hold.`)
  const top = topFiles(
    workspaces.map(({ workspace }) => workspace),
    device,
  )
  lines.push(
    `The workspaces use ${formatBytes(top.bytes)} of the ${formatBytes(totalBytes)}; the largest files in them:`,
    ...top.files.map(({ path, bytes }) => `  ${formatBytes(bytes)} ${path}`),
  )
  return lines
}

const freedBy = (files: readonly FileDecision[]): number =>
  files.reduce((bytes, { freesBytes }) => bytes + freesBytes, 0)
