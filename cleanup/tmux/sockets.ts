import fs from 'node:fs'
import type { AgentEntry } from '../registry/entries.ts'
import { defaultSocket } from './default-socket.ts'
import { recordedTmux } from './recorded.ts'

/** Where the sessions of agents are: the servers that they were deployed on, and the default one, as far as there is a socket. */
export function socketsOf(entries: readonly AgentEntry[]): string[] {
  const recorded = entries.flatMap(entry => recordedTmux(entry)?.socket ?? [])
  return [...new Set([defaultSocket(), ...recorded])].filter(socket => fs.existsSync(socket))
}
