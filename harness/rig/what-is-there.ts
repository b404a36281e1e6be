import type { PaneResource, Resource } from '../snapshot/snapshot.ts'
import type { Agent } from './agent.ts'
import { quotedLines } from './system-failure.ts'

/** The most panes and processes that are listed. */
const mostPanes = 4
const mostProcesses = 12

/**
 * What explains why an agent did not come to work, line by line: the panes and processes that are new since the baseline,
 * the texts of those panes, and what the system wrote.
 */
export async function whatIsThere({ rig }: Agent): Promise<string[]> {
  const [baseline, now] = [await rig.baseline(), await rig.snapshot()]
  const known = new Set(baseline.resources.map(({ id }) => id))
  const added = now.resources.filter(({ id }) => !known.has(id))
  const panes = added.filter((one): one is PaneResource => one.kind === 'pane')
  const processes = added.flatMap((one: Resource) =>
    one.kind === 'process' ? `${one.comm} (${one.pid})` : [],
  )
  const more = processes.length > mostProcesses ? ` and ${processes.length - mostProcesses} more` : ''
  return [
    `new processes since the baseline: ${processes.slice(0, mostProcesses).join(', ') || 'none'}${more}`,
    ...(panes.length === 0 ? ['new panes since the baseline: none'] : []),
    ...(await Promise.all(panes.slice(0, mostPanes).map(one => paneText(rig.probe, one)))).flat(),
    ...quotedLines('the output of the system', await rig.probe.systemOutput()),
  ]
}

async function paneText(
  probe: Agent['rig']['probe'],
  { socket, pane, sessionName }: PaneResource,
): Promise<string[]> {
  const title = `pane ${pane} of session ${sessionName} shows`
  const shown = await probe
    .run(['tmux', '-S', socket, 'capture-pane', '-p', '-J', '-t', pane])
    .catch(error => ({ stdout: String(error) }))
  return quotedLines(title, shown.stdout)
}
