import type { Counts } from './counts.ts'

/** How far a scenario has come, for somebody who watches. */
export interface Progress {
  /** What it does. */
  step: string
  /** The agent whose step it is. */
  agent?: string
  /** Absent until the baseline was taken. */
  baseline?: Counts
  /** Absent until the first snapshot. */
  now?: Counts
}

/** How a worker tells the reporter how far its scenario has come. */
export const progressType = 'leakrig:progress'

interface ProgressArtifact {
  type: typeof progressType
  progress: Progress
}

declare module 'vitest' {
  interface TestArtifactRegistry {
    leakrig: ProgressArtifact
  }
}
