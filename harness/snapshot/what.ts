import { basename } from 'node:path'
import type { Resource } from './snapshot.ts'

/** What a resource is called in reports: a line with its name, its pid or path, and its size. */
export function what(one: Resource): string {
  switch (one.kind) {
    case 'server':
      return `tmux server ${one.pid} on ${one.socket}`
    case 'session':
      return `tmux session ${one.name} (${one.session})`
    case 'pane':
      return `pane ${one.pane} of session ${one.sessionName}${one.dead ? ', dead' : ''}`
    case 'process':
      return `${one.comm} (${one.pid}), ${megabytes(one.rss)}: ${shorten(one.command)}`
    case 'descriptor':
      return `${basename(one.path)}${one.deleted ? ' (deleted)' : ''}, open for ${modes[one.mode]} in ${one.comm} (${one.pid})`
    case 'pty':
      return one.path
    case 'socket':
      return `listening socket ${one.address}`
    case 'file':
      return `${one.class} ${basename(one.path)}, ${one.bytes} bytes`
    case 'registry':
      return `registry ${one.path}`
  }
}

const modes = { r: 'reading', w: 'writing', rw: 'reading and writing' }

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

/** Shortens the paths from their beginnings first, because their ends name the program. */
function shorten(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ')
  if (line.length <= 80) return line
  const named = line.replaceAll(/\/(?:[^/\s]+\/){2,}(?=[^/\s]+\/)/g, '…/')
  return named.length > 80 ? `${named.slice(0, 79)}…` : named
}
