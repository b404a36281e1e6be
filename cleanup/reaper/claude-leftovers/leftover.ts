import type { Places } from './places.ts'

/** One file or folder that an agent's claude made and that a cleanup removes. */
export interface ClaudeLeftover {
  file: string
  /** 0 for anything but a regular file. */
  bytes: number
  /** Time since it was last written, in ms. */
  ageMs: number
  /** The evidence that it is the agent's, for people. */
  why: string
  /** What must have ended before it is removed: the whole agent; that and every use of its session; or the claude of that pid. */
  of: 'agent' | 'session' | number
  /** The folder from which it is reached without following a link. */
  root: string
  /** Device, inode and birth: a file that has replaced it stays. */
  identity: string
  isFolder: boolean
}

/** The leftovers of one agent's claudes. */
export interface ClaudeLeftovers {
  /** Everything that is removed, in that order. */
  going: ClaudeLeftover[]
  /** What stays and why, in sentences without a full stop. */
  stays: string[]
  /** The session that the agent's log names. */
  session: string | undefined
  places: Places
}
