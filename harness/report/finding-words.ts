import type { Finding } from '../verdict/verdict.ts'
import { counted } from './text.ts'

/** "24 findings of agent a and 3 without a known owner". */
export function owners(findings: readonly Finding[]): string {
  const agents = new Set(findings.flatMap(({ owner }) => owner?.agent ?? []))
  const without = findings.filter(({ owner }) => !owner).length
  const owned = findings.length - without
  const whose = agents.size === 1 ? `agent ${[...agents][0]}` : `${agents.size} agents`
  return [
    ...(owned > 0 ? [`${counted(owned, 'finding')} of ${whose}`] : []),
    ...(without > 0 ? [`${owned > 0 ? without : counted(without, 'finding')} without a known owner`] : []),
  ].join(' and ')
}

/** What each kind is called, one of it and several. */
export const kinds: Record<Finding['kind'], [one: string, several: string]> = {
  server: ['tmux server', 'tmux servers'],
  session: ['session', 'sessions'],
  pane: ['pane', 'panes'],
  process: ['process', 'processes'],
  descriptor: ['open file', 'open files'],
  pty: ['terminal', 'terminals'],
  socket: ['socket', 'sockets'],
  file: ['file', 'files'],
  registry: ['registry', 'registries'],
  line: ['log', 'logs'],
}
