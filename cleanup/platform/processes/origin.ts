import { backend } from './backend.ts'
import { readProcText } from './proc-file.ts'

/* Where a process comes from, as the kernel shows it. Read for a few processes, never for the whole table. */

/** The systemd unit that a process runs in (`cron.service`, `session-3.scope`); undefined without systemd. */
export function unitOf(pid: number): string | undefined {
  const cgroups = backend === 'proc' ? (readProcText(`/proc/${pid}/cgroup`) ?? '') : ''
  const folder = /^(?:0:|\d+:name=systemd):(\/.+)$/m.exec(cgroups)?.[1] ?? ''
  return folder.split('/').findLast(name => /\.(service|scope)$/.test(name))
}

/** True for a unit that `systemd-run` made, and that nobody has given a name. */
export const isTransientUnit = (unit: string | undefined): boolean =>
  unit !== undefined && /^run-(r[0-9a-f]{32}|u\d+|p\d+-i\d+)\.(service|scope)$/.test(unit)

/** A service, or a login. Other scopes are made around what somebody starts: a pane, a container, an application. */
export const isUnitOfSomebody = (unit: string | undefined): boolean =>
  unit !== undefined && (isService(unit) || /^session-.*\.scope$/.test(unit))

export const isService = (unit: string): boolean => unit.endsWith('.service')

/** The number of the audit session of the kernel for a process without a login. */
const NO_LOGIN = '4294967295'

/** The login (audit session) that a process belongs to, as PAM numbered it; undefined without one. */
export function loginOf(pid: number): string | undefined {
  const login = backend === 'proc' ? readProcText(`/proc/${pid}/sessionid`)?.trim() : undefined
  return login === undefined || login === '' || login === NO_LOGIN ? undefined : login
}

/** The major numbers of pseudo-terminals (admin-guide/devices.txt of the kernel); all other terminals are consoles and lines. */
export function isPseudoTerminal(tty: number): boolean {
  const major = (tty >> 8) & 0xfff
  return major >= 136 && major <= 143
}
