import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { quoted } from '../../process/children/bash-tools.ts'
import { childEnvironment } from '../../process/children/environment.ts'
import type { Claude } from '../../process/claude.ts'
import { type Launch, launchesFor, script } from '../../shapes/launch.ts'
import { launcherConfigs } from '../../shapes/mcp-launcher.ts'
import { type PlanFiles, removePlan, writePlan } from '../../shapes/plan.ts'
import { allReady, treeReady } from '../../shapes/ready.ts'
import { runBash } from './bash.ts'

/** Leaks what the directive's shape names, and waits until all of it is ready. */
export async function shape(claude: Claude): Promise<void> {
  const launches = launchesFor(claude.settings)
  for (const [at, launch] of launches.entries()) {
    const files = writePlan(claude, launch, at)
    await start(claude, launch, files)
    await note(claude, launch, files)
    removePlan(claude, files)
  }
  await noteLaunchers(claude)
}

async function start(claude: Claude, launch: Launch, { plan }: PlanFiles): Promise<void> {
  const { afterMs } = claude.settings
  const late = afterMs ? ['perl', script('late.pl'), String(afterMs)] : []
  const commands = launch.commands.map(command => [...late, ...command])
  if (launch.direct) {
    for (const command of commands) startDirectly(claude, command, plan)
    return
  }
  const background = afterMs || launch.jobControl ? ' &' : ''
  const lines = commands.map(command => `${command.map(quoted).join(' ')} <${quoted(plan)}${background}`)
  await runBash(claude, [...(launch.jobControl ? ['set -m'] : []), ...lines].join('\n'), 'Start the preview')
}

// Not by the Bash tool, but as a helper of claude itself, on its terminal and in its process group.
function startDirectly(
  { sessionId, places }: Claude,
  [command = '', ...words]: string[],
  plan: string,
): void {
  const stdin = openSync(plan, 'r')
  const env = { ...childEnvironment(sessionId, places), CLAUDE_PROJECT_DIR: process.cwd() }
  spawn(command, words, { env, stdio: [stdin, 'ignore', 'ignore'] }).unref()
  closeSync(stdin)
}

/** Waits until all of it is ready, and records it in the journal. What is late (after_ms) records itself. */
async function note({ settings, note }: Claude, launch: Launch, { ready }: PlanFiles): Promise<void> {
  const { shape, commands } = launch
  const last = settings.afterMs ? 'waiting' : launch.ready
  for (const { pid, path, role } of await allReady(ready, last, commands.length)) {
    note('shape', { shape, pid, path, role })
    if (pid === undefined || role !== 'child' || settings.depth === 1) continue
    for (const below of await treeReady(pid, settings.depth))
      note('shape', { shape, pid: below, role: 'tree' })
  }
}

async function noteLaunchers({ settings, servers, note }: Claude): Promise<void> {
  const shape = 'mcp-launcher'
  for (const { name } of launcherConfigs(settings)) {
    const pid = servers.pidOf(name)
    if (pid === undefined)
      throw new Error(`fake-claude: the MCP server ${name} of the shape was not started.`)
    const below = await treeReady(pid, settings.depth + 1)
    note('shape', { shape, pid, role: 'launcher' })
    for (const wrapper of below.slice(0, -1)) note('shape', { shape, pid: wrapper, role: 'wrapper' })
    note('shape', { shape, pid: below.at(-1), role: 'server' })
  }
}
