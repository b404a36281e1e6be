import { MARKER } from '../platform/processes/environment.ts'
import { HEADER } from './managed-file.ts'
import { commandOf, type ServicePlan } from './plan.ts'
import { command, setting } from './systemd-words.ts'

export const UNIT_NAME = 'leakrig.service'

/** The unit file for a plan, whole. */
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
${system ? `RequiresMountsFor=${workspaces.map(setting).join(' ')}\n` : ''}# One that cannot start, because another daemon holds a workspace, is given up after five attempts.
StartLimitIntervalSec=300
StartLimitBurst=5
`
}

function service(plan: ServicePlan): string {
  const [program = '', ...args] = commandOf(plan)
  const environment = Object.entries(plan.environment).map(([name, value]) => setting(`${name}=${value}`))
  return `[Service]
${plan.canNotify ? NOTIFY : 'Type=exec'}
ExecStart=${command(program, args)}
WorkingDirectory=/
${environment.map(word => `Environment=${word}\n`).join('')}# A manager that imported a pane's environment must not make the daemon look like a part of that pane.
UnsetEnvironment=TMUX TMUX_PANE ${MARKER} CLAUDECODE
${plan.owner ? `User=${plan.owner.uid}\n` : ''}Restart=on-failure
RestartSec=10
# 2: the command line is wrong, or a workspace is gone; both stay so.
RestartPreventExitStatus=2
# Only the daemon: a tmux server that was ever started from here is home to agents and users, and stays.
KillMode=process
TimeoutStopSec=10
TasksMax=256
MemoryMax=512M
`
}

const NOTIFY = `# The daemon says so itself, through systemd-notify, which is not the main process.
Type=notify
NotifyAccess=all
# Its loop beats every 10 seconds; stuck for 2 minutes, it is ended and started again.
WatchdogSec=120`

/** What needs no namespace: it acts on the daemon's own system calls. Node needs memory that is writable and executable. */
const PLAIN = `NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
SystemCallArchitectures=native
`

/** Said in the unit, so that nobody adds them later for a better mark from "systemd-analyze security". */
const LEFT_OUT = `# Left out, because each takes from the daemon what it is there for:
# PrivateTmp: tmux's sockets lie in /tmp. ProtectProc, ProcSubset, PrivatePIDs: it must see every process, and the uptime.
# PrivateUsers: the kernel hides the environment of a process outside one's user namespace.
# PrivateDevices: panes are told apart by their terminals. ProtectControlGroups: an agent's cgroup goes with it.
# ProtectHome, ProtectSystem=strict: it archives in workspaces. PrivateNetwork, IPAddressDeny: metrics on loopback.
# MemoryDenyWriteExecute: Node compiles.
`

/**
 * A user's manager may not make mount namespaces by itself: each of its Protect... options brings a user namespace with
 * it, and then the kernel no longer shows the environments of processes outside.
 */
function userHardening(): string {
  return `${PLAIN}${LEFT_OUT}# ProtectSystem, ProtectKernelTunables and others that make a mount namespace: in a user's manager, PrivateUsers comes with it.
`
}

function systemHardening({ workspaces, owner }: ServicePlan): string {
  // The folders that ProtectSystem=full makes read-only; a workspace below one must stay writable.
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
