import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { missingText } from './missing-programs.ts'

/**
 * Why no namespace sandbox can be started, and what to do, in one sentence.
 * @param reason what its programs printed
 * @param path where they were looked for
 */
export function refusal(reason: string, path: string): string {
  const missing = /(\w+)(?:: (?:command )?not found| ENOENT)/.exec(reason)?.[1]
  if (missing) return missingText(missing, path)
  // Root makes the last namespace as another user, whom the same settings concern.
  const asRoot = isRoot ? '' : 'run as root, or '
  return `The namespace sandbox needs the right to unshare, and was refused it (${reason.replaceAll(/\s+/g, ' ')}): ${asRoot}${remedy(reason)}.`
}

const isRoot = process.getuid?.() === 0

/** The kinds of namespaces that a sandbox consists of, as the kernel's limits name them. */
const kinds = ['user', 'mnt', 'pid', 'net', 'ipc', 'uts', 'cgroup']

function remedy(reason: string): string {
  const setting = refusingSetting(reason)
  if (setting) return `allow user namespaces (sysctl ${setting})`
  // Neither the kernel's settings nor a limit: then whoever started us took the right away.
  if (isContained())
    return 'start the container that this runs in with the right to make namespaces (docker: --security-opt seccomp=unconfined --cap-add SYS_ADMIN), or run on the machine itself'
  if (reason.includes('Invalid argument')) return 'use a kernel with user namespaces (CONFIG_USER_NS)'
  return "ask the kernel's log (dmesg) which security module refuses it, because no setting in /proc/sys does; or use --sandbox container"
}

/** The setting that refuses, with a value that allows; undefined when none does. */
function refusingSetting(reason: string): string | undefined {
  // Ubuntu's, from 23.10 on: only programs with an AppArmor profile for it may use a user namespace.
  if (isAbove0(sysctl('kernel/apparmor_restrict_unprivileged_userns')))
    return 'kernel.apparmor_restrict_unprivileged_userns=0'
  // Debian's.
  if (sysctl('kernel/unprivileged_userns_clone') === '0') return 'kernel.unprivileged_userns_clone=1'
  const none = kinds.find(kind => sysctl(`user/max_${kind}_namespaces`) === '0')
  if (none) return `user.max_${none}_namespaces=10000`
  // The kernel's error for a limit that is reached (ENOSPC): that of the user, or of a namespace around us.
  if (!reason.includes('No space left on device')) return undefined
  return `user.max_user_namespaces=${Math.max(10_000, 2 * Number(sysctl('user/max_user_namespaces') ?? 0))}`
}

const isAbove0 = (value: string | undefined): boolean => Number(value) > 0

/** True with a filter of system calls on us, or as root without the right to mount: both are signs of a container. */
function isContained(): boolean {
  const status = read('/proc/self/status') ?? ''
  const isFiltered = /^Seccomp:\s*2$/m.test(status)
  const capabilities = Number.parseInt(/^CapEff:\s*([\da-f]+)$/m.exec(status)?.[1]?.slice(-8) ?? '', 16)
  return isFiltered || (isRoot && ((capabilities >>> sysAdmin) & 1) === 0)
}

/** The number of CAP_SYS_ADMIN. */
const sysAdmin = 21

const sysctl = (name: string): string | undefined => read(join('/proc/sys', name))

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return undefined
  }
}
