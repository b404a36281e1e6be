import { dirname } from 'node:path'
import { CannotMeasureError } from '../../errors.ts'
import type { Agent } from '../../rig/agent.ts'
import type { Rig } from '../../rig/rig.ts'
import { liveLog } from '../../rig/stream-log.ts'
import { reportWorkspace } from '../report-workspace.ts'

/** Why a fault that needs a mount cannot be injected here; undefined where it can. */
export async function mountObjection({ probe, places }: Rig): Promise<string | undefined> {
  const point = `${places.home}/mount`
  const { code } = await probe.run([
    'sh',
    '-c',
    'mkdir "$1" && mount -t tmpfs tmpfs "$1" && umount "$1"; code=$?; rmdir "$1"; exit $code',
    'sh',
    point,
  ])
  return code === 0 ? undefined : 'this sandbox may not mount: use --sandbox namespace'
}

/** Mounts a disk of so many KiB over a folder. */
export async function mountDisk({ probe }: Pick<Rig, 'probe'>, folder: string, kib: number): Promise<void> {
  await mustRun(probe, ['mkdir', '-p', folder])
  await mustRun(probe, ['mount', '-t', 'tmpfs', '-o', `mode=755,size=${kib}k`, 'tmpfs', folder])
}

/** Fills the disk of a folder to its last byte; `empty` frees the space. */
export async function fillDisk({ probe }: Rig, folder: string): Promise<{ empty(): Promise<void> }> {
  const ballast = `${folder}/ballast`
  const { stderr } = await probe.run(['dd', 'if=/dev/zero', `of=${ballast}`, 'bs=1k'])
  if (!stderr.includes('No space left')) throw new CannotMeasureError(`The disk was not filled: ${stderr}`)
  return { empty: () => mustRun(probe, ['rm', ballast]) }
}

/** Leaves what a writer left that died: a lock file with a pid that nobody has, two days old, beside each registry. */
export async function leaveStaleLocks({ rig }: Agent): Promise<void> {
  const { probe } = rig
  const { taskRegistry, globalRegistry } = reportWorkspace(rig)
  const files = [`${taskRegistry}.lock`, `${globalRegistry}.lock`, `${dirname(globalRegistry)}/daemon.lock`]
  for (const file of files) await probe.write(file, '4194303\n')
  await mustRun(probe, ['touch', '-d', '2 days ago', ...files])
}

/** Cuts a task's registry in half, as a writer without an atomic replace does when it dies. */
export async function cutRegistry(rig: Rig): Promise<{ mend(): Promise<void> }> {
  const file = reportWorkspace(rig).taskRegistry
  const text = (await rig.probe.read(file)) ?? ''
  await rig.probe.write(file, text.slice(0, text.length / 2))
  return { mend: () => rig.probe.write(file, text) }
}

/** Renames an agent's stream log as logrotate does, and waits until the agent has written on. */
export function rotateLog(agent: Agent): Promise<void> {
  return whileWritten(agent, log => ['mv', log, `${log}.1`])
}

/** Deletes an agent's stream log, and waits until the agent has written on. */
export function deleteLog(agent: Agent): Promise<void> {
  return whileWritten(agent, log => ['rm', log])
}

/** For an agent that waits at its gate, with lines of its own on both sides of it. */
async function whileWritten(agent: Agent, fault: (log: string) => string[]): Promise<void> {
  const { rig } = agent
  await agent.waitUntilReady()
  await mustRun(rig.probe, fault(liveLog(agent)))
  await agent.finishes()
}

/** Replaces the archive folder of the agent's task by a link out of the workspace. */
export async function linkArchiveOutside({ rig }: Agent): Promise<LinkedArchive> {
  const { archive } = reportWorkspace(rig)
  const outside = `${rig.places.home}/elsewhere`
  await mustRun(rig.probe, ['mkdir', '-p', outside])
  await mustRun(rig.probe, ['sh', '-c', 'rmdir "$2"; ln -s "$1" "$2"', 'sh', outside, archive])
  return {
    outside,
    mend: () => mustRun(rig.probe, ['sh', '-c', 'rm "$1"; mkdir "$1"', 'sh', archive]),
  }
}

interface LinkedArchive {
  outside: string
  mend(): Promise<void>
}

async function mustRun(probe: Rig['probe'], command: string[]): Promise<void> {
  const { code, stderr } = await probe.run(command)
  if (code !== 0)
    throw new CannotMeasureError(`A fault could not be injected: ${command.join(' ')}: ${stderr.trim()}`)
}
