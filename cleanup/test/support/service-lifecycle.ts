// Runs inside a booted systemd: `service-lifecycle.ts <user|system>`. Installs the service for a workspace, lets it clean up
// an agent, kills it, uninstalls it, and prints its observations as JSON.
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { recordIntent } from '../../index.ts'
import { isRunning, kill, Rig, readText, traces } from './rig.ts'
import { runCommand } from './run-command.ts'
import { until } from './until.ts'

const manager = process.argv[2] === 'user' ? 'user' : 'system'
const system = manager === 'system' ? ['--system'] : []

const systemctl = (...args: string[]): string =>
  spawnSync('systemctl', [...(manager === 'user' ? ['--user'] : []), ...args], {
    encoding: 'utf8',
  }).stdout.trim()
const show = (property: string): string => systemctl('show', '--value', '-p', property, 'leakrig.service')

const rig = await Rig.start()
// The agent starts a daemon that ignores HUP and TERM; only the marker in its environment shows that it belongs to the agent.
const claude = `setsid -f bash -c 'trap "" HUP TERM; echo $$ > own.pid; sleep 1000' >/dev/null 2>&1; echo ready; sleep 1000 & wait`
const seen: Record<string, unknown> = {}

const metrics = ['--metrics-file', `${rig.folder}/leakrig.prom`]
seen.install = await runCommand('service', 'install', ...system, ...metrics, '--now', rig.workspace)
seen.active = show('ActiveState')
seen.type = show('Type')
seen.again = await runCommand('service', 'install', ...system, ...metrics, rig.workspace)
seen.status = await runCommand('service', 'status', ...system, rig.workspace)
seen.text = show('StatusText')
seen.isWatched = show('WatchdogTimestampMonotonic') !== '0'

const ref = await rig.deploy('a', { claude, recorded: false, entry: { tmux_session: 'agent_a' } })
const own = await rig.pid('own')
await recordIntent(ref, { status: 'completed', reason: 'x' })
await until('the service has cleaned up', () => rig.entry(ref).cleanup?.state === 'done', 30_000)
seen.traces = traces(rig, ref)
seen.ownRuns = isRunning(own)

seen.metrics = await until('the metrics file is written', () => readText(`${rig.folder}/leakrig.prom`))
const first = Number(show('MainPID'))
kill(first)
seen.restarted = await until(
  'systemd has restarted the service',
  () => {
    const pid = Number(show('MainPID'))
    return pid > 0 && pid !== first && show('ActiveState') === 'active'
  },
  60_000,
)

// Stands for a tmux server that the service started: it is in the service's cgroup, and must survive the uninstall.
const guest = rig.start('sleep', ['1000'])
const cgroup = show('ControlGroup')
for (const hierarchy of ['', 'unified', 'systemd']) {
  const file = `/sys/fs/cgroup/${hierarchy}${hierarchy && '/'}${cgroup}/cgroup.procs`
  if (fs.existsSync(file)) fs.writeFileSync(file, String(guest))
}
seen.guestIsIn = fs.readFileSync(`/proc/${guest}/cgroup`, 'utf8').includes('leakrig.service')
seen.early = await runCommand('service', 'uninstall', ...system)
seen.uninstall = await runCommand('service', 'uninstall', ...system, '--now')
seen.guestRuns = isRunning(guest)
seen.inactive = show('ActiveState')
seen.after = await runCommand('service', 'status', ...system, rig.workspace)
seen.registry = fs.readdirSync(`${rig.workspace}/registry`)
kill(guest)
await rig[Symbol.asyncDispose]()
process.stdout.write(JSON.stringify(seen))
process.exit(0)
