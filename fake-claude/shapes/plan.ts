import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Claude } from '../process/claude.ts'
import type { Launch } from './launch.ts'

/** The two files between claude and what it starts; both are gone as soon as everything is there. */
export interface PlanFiles {
  plan: string
  ready: string
}

/** Writes down what the scripts (plan.pl) must know. */
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
  const lines = Object.entries(variables).map(
    ([name, value]) => `${name}='${value.replaceAll("'", `'\\''`)}'\n`,
  )
  // A signal can end claude before it gets to remove them.
  for (const path of Object.values(files)) claude.files.passing.add(path)
  writeFileSync(files.plan, lines.join(''))
  writeFileSync(files.ready, '')
  return files
}

export function removePlan({ files: { passing } }: Claude, files: PlanFiles): void {
  for (const path of Object.values(files)) {
    rmSync(path)
    passing.delete(path)
  }
}
