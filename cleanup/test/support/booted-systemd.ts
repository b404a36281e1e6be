import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { readText } from './rig.ts'
import { until } from './until.ts'

const SYSTEMD = '/usr/lib/systemd/systemd'
const CGROUPS = '/sys/fs/cgroup'

/** The cgroup hierarchies that systemd needs: version 2 alone, or version 2 beside a named hierarchy of version 1. */
const hierarchies = fs.existsSync(`${CGROUPS}/cgroup.procs`) ? [''] : ['unified', 'systemd']

/** True if this process can boot its own systemd: it is root, systemd is installed, and the cgroups are writable. */
export const canBoot =
  process.getuid?.() === 0 &&
  fs.existsSync(SYSTEMD) &&
  hierarchies.every(name => {
    try {
      fs.accessSync(path.join(CGROUPS, name, 'cgroup.procs'), fs.constants.W_OK)
      return true
    } catch {
      return false
    }
  })

const TARGETS = ['sysinit', 'basic', 'shutdown', 'umount', 'multi-user', 'default']
const TARGET = '[Unit]\nDefaultDependencies=no\n'
/** The unit of a user manager, as logind would start it. */
const userManager = (home: string) => `[Unit]
DefaultDependencies=no
[Service]
Type=notify
Delegate=yes
Environment=HOME=${home} XDG_RUNTIME_DIR=/run/user/0 SYSTEMD_UNIT_PATH=${home}/.config/systemd/user PATH=/usr/bin:/bin
ExecStartPre=/bin/mkdir -p -m 0700 /run/user/0
ExecStart=${SYSTEMD} --user
`

/**
 * A real systemd as process 1 of its own process, mount and cgroup namespaces, without the machine's units. Disposing
 * of it ends everything in it. It shares /tmp with the machine.
 */
export class BootedSystemd implements AsyncDisposable {
  readonly #child: ChildProcess
  #pid = 0
  readonly #cgroups: string[]

  private constructor(child: ChildProcess, cgroups: string[]) {
    this.#child = child
    this.#cgroups = cgroups
  }

  /** `folder` is a temporary folder of the test; `<folder>/home` becomes the user manager's home. */
  static async boot(folder: string): Promise<BootedSystemd> {
    const units = path.join(folder, 'units')
    const home = path.join(folder, 'home')
    for (const at of [units, `${home}/.config/systemd/user`]) {
      fs.mkdirSync(at, { recursive: true })
      for (const name of TARGETS) fs.writeFileSync(path.join(at, `${name}.target`), TARGET)
    }
    fs.writeFileSync(path.join(units, 'user-manager.service'), userManager(home))
    // It starts in new cgroups: all cgroups that it makes are below them, where dispose can find and remove them.
    const cgroups = hierarchies.map(name => path.join(CGROUPS, name, path.basename(folder)))
    const mounts = hierarchies.map(name => {
      const type = name === 'systemd' ? '-t cgroup -o none,name=systemd' : '-t cgroup2'
      return `mkdir -p ${CGROUPS}/${name} && mount ${type} none ${CGROUPS}/${name}`
    })
    fs.writeFileSync(
      path.join(folder, 'boot.sh'),
      [
        'set -e',
        'mount -t tmpfs none /run',
        `umount -l ${CGROUPS}`,
        ...(hierarchies.length > 1 ? [`mount -t tmpfs none ${CGROUPS}`] : []),
        ...mounts,
        // Read-only, so that systemd makes no cgroups in the machine's other hierarchies.
        ...(hierarchies.length > 1 ? [`mount -o remount,ro ${CGROUPS}`] : []),
        'mount -t tmpfs none /etc/systemd/system',
        `cp ${units}/* /etc/systemd/system`,
        'export container=leakrig SYSTEMD_UNIT_PATH=/etc/systemd/system',
        `exec ${SYSTEMD} --system --show-status=0`,
      ].join('\n'),
    )
    const join = cgroups.map(cgroup => `mkdir ${cgroup} && echo $$ > ${cgroup}/cgroup.procs`).join(' && ')
    const unshare = 'unshare -C -m -p -u -i -f --kill-child --mount-proc'
    const child = spawn('sh', ['-c', `${join} && exec ${unshare} sh ${folder}/boot.sh`], { stdio: 'ignore' })
    const booted = new BootedSystemd(child, cgroups)
    try {
      booted.#pid = await until('process 1 is systemd', () =>
        childrenOf(child.pid).find(pid => readText(`/proc/${pid}/comm`).trim() === 'systemd'),
      )
      await until(
        'systemd has booted',
        () => booted.run('systemctl', 'is-system-running').out === 'running',
        30_000,
      )
    } catch (error) {
      await booted[Symbol.asyncDispose]()
      throw error
    }
    return booted
  }

  /** The command line that runs a command inside the namespaces. */
  commandInside(...words: string[]): string[] {
    return ['nsenter', '-t', String(this.#pid), '-m', '-p', '-C', '-u', '-i', '--', ...words]
  }

  run(...words: string[]): { code: number | null; out: string } {
    const [command = '', ...args] = this.commandInside(...words)
    const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
    return { code: status, out: `${stdout}${stderr}`.trim() }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exit = once(this.#child, 'exit')
    // --kill-child makes the kernel kill process 1 with unshare; the end of process 1 kills its whole namespace.
    this.#child.kill('SIGKILL')
    await exit
    for (const cgroup of this.#cgroups) await until(`${cgroup} is removed`, () => removeTree(cgroup))
  }
}

const childrenOf = (pid: number | undefined): number[] =>
  readText(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number)

function removeTree(cgroup: string): boolean {
  try {
    for (const entry of fs.readdirSync(cgroup, { withFileTypes: true }))
      if (entry.isDirectory()) removeTree(path.join(cgroup, entry.name))
    fs.rmdirSync(cgroup)
    return true
  } catch {
    return !fs.existsSync(cgroup)
  }
}
