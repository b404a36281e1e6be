import type { ForeignSession } from '../claims/leftovers/find.ts'
import type { Suspect } from '../claims/suspect.ts'
import { durationText } from '../platform/duration.ts'
import { oneLine } from '../platform/one-line.ts'

/** Text from another program for a terminal: at most `longest` characters, without control characters (`oneLine`). */
export function printable(text: string, longest = 120): string {
  const shown = oneLine(text)
  return shown.length > longest ? `${shown.slice(0, longest - 1)}…` : shown
}

/** A process's name and pid. The kernel keeps the name as bytes (here in latin1), which are usually UTF-8. */
export const nameOf = ({ comm, pid }: { comm: string; pid: number }): string =>
  `${printable(Buffer.from(comm, 'latin1').toString('utf8')) || '(no name)'} ${pid}`

/** Why something resembles an agent's, whole: it may end with the command that ends it. */
export const resemblancesText = (all: readonly string[]): string =>
  all.map(why => printable(why, 1_000)).join('; ')

/** A suspect in one line: what it is, how old, and why it is suspected. */
export const suspectText = (one: Suspect): string =>
  `${nameOf(one)} (${durationText(one.ageMs)}) ${printable(one.command)}: ${resemblancesText(one.resemblances)}`

/** How many sessions of one workspace are named. */
const MOST_SESSIONS = 5

/** The sessions of other workspaces, in one line for each workspace. */
export function foreignText(all: readonly ForeignSession[]): string[] {
  return [...Map.groupBy(all, ({ workspace }) => workspace)].map(([workspace, sessions]) => {
    const named = sessions
      .slice(0, MOST_SESSIONS)
      .map(({ name, id, socket, why }) => `${printable(name)} (${id} on ${socket}: ${printable(why, 300)})`)
    const more = sessions.length > named.length ? [`${sessions.length - named.length} more`] : []
    return `${sessions.length === 1 ? '1 session belongs' : `${sessions.length} sessions belong`} to the workspace ${printable(workspace, 300)} and ${sessions.length === 1 ? 'is not a leftover' : 'are not leftovers'} here: ${[...named, ...more].join(', ')}`
  })
}

export { formatBytes as size } from '../platform/bytes.ts'

export const count = (number: number, one: string, many = `${one}s`): string =>
  `${number} ${number === 1 ? one : many}`
