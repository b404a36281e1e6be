// In a pid and a mount namespace of its own: agents of workspaces on disks that are not mounted, and of removed workspaces, and a
// sweep of another workspace. Prints which of them are listed, planned and ended, as one line of JSON.
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { sweep } from '../../index.ts'
import { ageMs } from '../../platform/processes/details.ts'
import { readProcess } from '../../platform/processes/table.ts'
import { isRunning, Rig } from './rig.ts'
import { until } from './until.ts'

await using rig = await Rig.start()
const pids = new Map<number, string>()
const workspaceIn = (folder: string) => `${folder}/.agent-workspace`

/** Starts an agent's process without an open file. `before` is done as long as its workspace is there. */
async function start(name: string, folder: string, cwd = '/'): Promise<void> {
  fs.mkdirSync(workspaceIn(folder), { recursive: true })
  const noting = `cd ${cwd}; echo $$ >${rig.folder}/${name}.pid; exec sleep 1000`
  rig.start('bash', ['-c', noting], { LEAKRIG_AGENT: `${workspaceIn(folder)}/T/a` })
  const pid = await rig.pid(name)
  pids.set(pid, name)
  // The times of processes are rounded, and what is removed in the moment of its start counts as never seen.
  await until('it is not quite new', () => {
    const process = readProcess(pid)
    return process && ageMs(process) > 50
  })
}

function run(...[command = '', ...args]: string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`)
}

function folder(name: string): string {
  fs.mkdirSync(`${rig.folder}/${name}`)
  return `${rig.folder}/${name}`
}

// The workspace goes on elsewhere, and leaves an empty folder.
const disk = folder('disk')
run('mount', '-t', 'tmpfs', 'tmpfs', disk)
await start('mountedElsewhere', disk)
run('mount', '--bind', disk, folder('keep'))
run('umount', disk)

// A folder with a note in it, on which /etc/fstab mounts a disk.
const noted = folder('disk of fstab')
fs.writeFileSync(`${noted}/README`, 'not mounted')
fs.writeFileSync(
  `${rig.folder}/fstab`,
  `# disks\nLABEL=x ${noted.replaceAll(' ', '\\040')} ext4 noauto 0 0\n`,
)
run('mount', '--bind', `${rig.folder}/fstab`, '/etc/fstab')
run('mount', '-t', 'tmpfs', 'tmpfs', noted)
await start('inFstab', noted)
run('umount', noted)

// A stick whose folder goes with it.
run('mount', '-t', 'tmpfs', 'tmpfs', '/media')
fs.mkdirSync('/media/me/other', { recursive: true })
await start('stick', '/media/me/stick')
fs.rmSync('/media/me/stick', { recursive: true })

// A link that leads to nothing, and one that cannot be followed.
const linked = folder('linked')
await start('linked', linked)
fs.rmSync(linked, { recursive: true })
fs.symlinkSync('/media/me/work', linked)
const circle = folder('circle')
await start('circle', circle)
fs.rmSync(circle, { recursive: true })
fs.symlinkSync(circle, circle)

// Removed: with its project; alone in its project; with a process that works in it, although the folder looks like an old one.
await start('removed', folder('project'))
fs.rmSync(`${rig.folder}/project`, { recursive: true })
await start('alone', folder('emptied'))
fs.rmSync(workspaceIn(`${rig.folder}/emptied`), { recursive: true })
const old = folder('old')
await start('worksInIt', old, workspaceIn(old))
fs.rmSync(workspaceIn(old), { recursive: true })
fs.utimesSync(old, 0, 0)

const namesOf = (all: readonly { pid: number }[] = []) => all.flatMap(({ pid }) => pids.get(pid) ?? []).sort()
const options = { graceMs: 300, minAgeMs: 0, apply: true, orphans: true }
const { leftovers, unlisted, problems } = await sweep(rig.workspace, options)
console.log(
  JSON.stringify({
    problems,
    unknown: namesOf(leftovers?.processes.filter(({ why }) => why.includes('a disk that is not mounted'))),
    gone: namesOf(leftovers?.processes.filter(({ why }) => why.includes('no longer exists'))),
    planned: namesOf(unlisted.processes.flatMap(({ plan }) => plan.end)),
    running: namesOf([...pids.keys()].filter(isRunning).map(pid => ({ pid }))),
  }),
)
run('umount', `${rig.folder}/keep`)
