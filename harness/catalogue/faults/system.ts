import type { System } from '../../definition/system.ts'
import type { ProbeApi } from '../../probe/api.ts'
import type { SandboxFolders } from '../../probe/places.ts'
import type { Agent } from '../../rig/agent.ts'
import { ignoreUncertainShellSnapshots } from '../files-without-owner.ts'
import { reportWorkspace } from '../report-workspace.ts'

/**
 * Installs a tmux that starts an agent's session and then kills its caller, before the caller can record the session.
 * Only the system gets it, by a PATH with this tmux in front of the real one.
 */
export async function tmuxThatKills(probe: ProbeApi, { home }: SandboxFolders): Promise<void> {
  const script = [
    '#!/bin/sh',
    `PATH=\${PATH#*:} tmux "$@"`,
    'code=$?',
    'case " $* " in *" new-session "*) kill -KILL "$PPID" ;; esac',
    'exit $code',
    '',
  ].join('\n')
  await probe.write(`${home}/half/tmux`, script)
  await probe.run(['chmod', '755', `${home}/half/tmux`])
}

/** The same system with the tmux of `tmuxThatKills` on its PATH. */
export function withTmuxThatKills(system: System): System {
  const { server } = system
  if (!server) throw new Error(`The system ${system.name} has no server to give another PATH.`)
  const script = 'PATH={home}/half:$PATH exec "$@"'
  return { ...system, server: { ...server, command: ['sh', '-c', script, 'sh', ...server.command] } }
}

/**
 * Restarts the machine: no process is left, and every file. An innocent process now has the pid that the registry has
 * recorded for the pane.
 */
export async function restartMachine(agent: Agent): Promise<void> {
  const { rig } = agent
  const { pid } = await agent.pane()
  await rig.ignore('the machine was restarted', ({ kind }) => kind !== 'file')
  await ignoreUncertainShellSnapshots(rig)
  await rig.probe.powerOff()
  const innocent = await rig.probe.plant(['sleep', 'infinity'])
  const { taskRegistry, globalRegistry } = reportWorkspace(rig)
  for (const file of [taskRegistry, globalRegistry]) await renumber(rig, file, pid, innocent.pid)
}

async function renumber(
  { probe }: Pick<Agent['rig'], 'probe'>,
  file: string,
  pid: number,
  other: number,
): Promise<void> {
  const text = (await probe.read(file)) ?? ''
  await probe.write(file, text.replaceAll(new RegExp(`("\\w*pid": )${pid}\\b`, 'g'), `$1${other}`))
}
