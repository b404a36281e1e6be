import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { readText } from './rig.ts'
import { until } from './until.ts'

const SYSTEMD = '/usr/lib/systemd/systemd'
const CGROUPS = '/sys/fs/cgroup'

/** The cgroup hierarchies that systemd needs: version 2, or on a hybrid machine version 2 and a named one of version 1. */
const hierarchies = fs.existsSync(`${CGROUPS}/cgroup.procs`) ? [''] : ['unified', 'systemd']

/** True where a systemd can be booted: as root, with the program, and with writable cgroups. */
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
/** A user's own manager, as logind would start it. */
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
 * A real systemd as process 1 of namespaces of its own (pid, mount, cgroup), without the machine's units, but with the
 * machine's /tmp. Disposing kills it with everything in it.
 */
export class BootedSystemd implements AsyncDisposable {
  readonly #child: ChildProcess
  #pid = 0
  readonly #cgroups: string[]

  private constructor(child: ChildProcess, cgroups: string[]) {
    this.#child = child
    this.#cgroups = cgroups
  }

  /** `folder` is for its files; `folder`/home becomes the home of the user manager. */
  static async boot(folder: string): Promise<BootedSystemd> {
    const units = path.join(folder, 'units')
    const home = path.join(folder, 'home')
    for (const at of [units, `${home}/.config/systemd/user`]) {
      fs.mkdirSync(at, { recursive: true })
      for (const name of TARGETS) fs.writeFileSync(path.join(at, `${name}.target`), TARGET)
    }
    fs.writeFileSync(path.join(units, 'user-manager.service'), userManager(home))
    // It runs in cgroups of its own, below which it makes all others, so that they can be found and removed.
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
        // Otherwise systemd would also make cgroups in the machine's other hierarchies.
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

  /** The words of a command, wrapped to run inside. */
  within(...words: string[]): string[] {
    return ['nsenter', '-t', String(this.#pid), '-m', '-p', '-C', '-u', '-i', '--', ...words]
  }

  run(...words: string[]): { code: number | null; out: string } {
    const [command = '', ...args] = this.within(...words)
    const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
    return { code: status, out: `${stdout}${stderr}`.trim() }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exit = once(this.#child, 'exit')
    // unshare --kill-child kills process 1, and the kernel then kills its whole pid namespace.
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
