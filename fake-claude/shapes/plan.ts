import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { quoted } from '../process/children/bash-tools.ts'
import type { Claude } from '../process/claude.ts'
import type { Launch } from './launch.ts'

/** The two files that claude shares with what it starts; both are removed as soon as everything is ready. */
export interface PlanFiles {
  plan: string
  ready: string
}

/** Writes the plan: shell variables with what the scripts need to know (plan.pl, plan.sh). */
export function writePlan(claude: Claude, { shape }: Launch, number: number): PlanFiles {
  const { settings, places } = claude
  const files = {
    plan: join(places.temporary, `plan-shape-${process.pid}-${number}`),
    ready: join(places.temporary, `plan-ready-${process.pid}-${number}`),
  }
  const variables: Record<string, string> = {
    SHAPE: shape,
    READY: files.ready,
    JOURNAL: settings.journal ?? '',
    LATE: settings.afterMs ? 'yes' : '',
    BEHAVIOURS: settings.shape?.behaviours.join(' ') ?? '',
    DEPTH: String(settings.depth),
    RESIST: String(settings.resistMs ?? ''),
    FOLDER: places.temporary,
    HOME_CLAUDE: places.claude,
    BASE: places.base,
    SESSION: claude.sessionId,
    CLAUDE: String(process.pid),
  }
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${quoted(value)}\n`)
  // A signal may end claude before it can remove them.
  for (const path of Object.values(files)) claude.files.removedOnExit.add(path)
  writeFileSync(files.plan, lines.join(''))
  writeFileSync(files.ready, '')
  return files
}

export function removePlan({ files: { removedOnExit } }: Claude, files: PlanFiles): void {
  for (const path of Object.values(files)) {
    rmSync(path)
    removedOnExit.delete(path)
  }
}
