import { MARKER } from '../platform/processes/environment.ts'
import { HEADER } from './managed-file.ts'
import { commandOf, type ServicePlan } from './plan.ts'
import { quoteCommand, quoteSetting } from './systemd-quoting.ts'

export const UNIT_NAME = 'leakrig.service'

/** The text of the unit file for a plan. Throws a CleanupError (`bad-argument`) for a path with a zero byte. */
export function systemdUnit(plan: ServicePlan): string {
  return [
    unit(plan),
    service(plan),
    plan.system ? systemHardening(plan) : userHardening(),
    install(plan),
  ].join('\n')
}

function unit({ system, workspaces }: ServicePlan): string {
  return `# ${HEADER}
[Unit]
Description=leakrig: cleans up after tmux-based Claude Code agents
Documentation=man:tmux(1)
${system ? `RequiresMountsFor=${workspaces.map(quoteSetting).join(' ')}\n` : ''}# A daemon that cannot start, because another one holds a workspace, is given up after five attempts.
StartLimitIntervalSec=300
StartLimitBurst=5
`
}

function service(plan: ServicePlan): string {
  const [program = '', ...args] = commandOf(plan)
  const environment = Object.entries(plan.environment).map(([name, value]) =>
    quoteSetting(`${name}=${value}`),
  )
  return `[Service]
${plan.canNotify ? NOTIFY : 'Type=exec'}
ExecStart=${quoteCommand(program, args)}
WorkingDirectory=/
${environment.map(word => `Environment=${word}\n`).join('')}# A manager that imported a pane's environment must not make the daemon look like a process of that pane.
UnsetEnvironment=TMUX TMUX_PANE ${MARKER} CLAUDECODE
${plan.owner ? `User=${plan.owner.uid}\n` : ''}Restart=on-failure
RestartSec=10
# Exit code 2 means a wrong command line or a missing workspace, which a restart does not fix.
RestartPreventExitStatus=2
# Only the daemon is killed: a tmux server that it started holds sessions of agents and users.
KillMode=process
TimeoutStopSec=10
TasksMax=256
MemoryMax=512M
`
}

const NOTIFY = `# The daemon reports that it is ready by running systemd-notify, which is not the main process.
Type=notify
NotifyAccess=all
# Its loop reports every 10 seconds; after 2 minutes without a report systemd restarts it.
WatchdogSec=120`

/** Options that need no namespace, because they only restrict the daemon's own system calls. */
const PLAIN = `NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
SystemCallArchitectures=native
`

/** In the unit itself, so that nobody adds them later for a better score in "systemd-analyze security". */
const LEFT_OUT = `# These options are left out, because the daemon could not work with them:
# PrivateTmp: tmux's sockets are in /tmp. ProtectProc, ProcSubset, PrivatePIDs: it must see every process, and the uptime.
# PrivateUsers: the kernel hides the environments of processes outside the daemon's user namespace.
# PrivateDevices: panes are identified by their terminals. ProtectControlGroups: it removes the cgroups of agents.
# ProtectHome, ProtectSystem=strict: it writes in workspaces. PrivateNetwork, IPAddressDeny: it serves metrics on loopback.
# MemoryDenyWriteExecute: Node compiles JavaScript to machine code.
`

/**
 * A user's manager has no right to make mount namespaces, so each Protect... option also makes a user namespace, and then
 * the kernel hides the environments of the processes outside.
 */
function userHardening(): string {
  return `${PLAIN}${LEFT_OUT}# ProtectSystem, ProtectKernelTunables and others that need a mount namespace: a user's manager adds PrivateUsers to them.
`
}

function systemHardening({ workspaces, owner }: ServicePlan): string {
  // ProtectSystem=full makes these folders read-only, and a workspace below one must stay writable.
  const isProtected = workspaces.some(workspace => /^\/(?:usr|boot|efi|etc)(?:\/|$)/.test(workspace))
  const capabilities = owner
    ? ''
    : 'CAP_KILL CAP_SYS_PTRACE CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_CHOWN'
  return `${PLAIN}${isProtected ? '' : 'ProtectSystem=full\n'}ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectClock=yes
ProtectHostname=yes
CapabilityBoundingSet=${capabilities}
${LEFT_OUT}`
}

function install({ system }: ServicePlan): string {
  return `[Install]
WantedBy=${system ? 'multi-user.target' : 'default.target'}
`
}
