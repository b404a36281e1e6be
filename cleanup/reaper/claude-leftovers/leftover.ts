import type { Places } from './places.ts'

/** One file or folder that claude made and that goes with its agent. */
export interface ClaudeLeftover {
  file: string
  /** 0 for what is no regular file. */
  bytes: number
  /** Since it was last written, in ms. */
  ageMs: number
  /** How it is known to be the agent's, for people. */
  why: string
  /** What has to be over before it goes: all of the agent, nobody's having the session either, or the claude of that number. */
  of: 'agent' | 'session' | number
  /** The folder from which it is reached without following a link. */
  root: string
  /** Device, inode and birth: what has come in its place stays. */
  identity: string
  isFolder: boolean
}

/** What the claudes of one agent leave. */
export interface ClaudeLeftovers {
  /** What goes, in the order in which it is removed, and nothing else. */
  going: ClaudeLeftover[]
  /** What stays and why, in sentences without a full stop. */
  stays: string[]
  /** The agent's session, if it is proven to be its. */
  session: string | undefined
  places: Places
}
