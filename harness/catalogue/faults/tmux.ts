import { CannotMeasureError } from '../../errors.ts'
import { poll } from '../../poll.ts'
import type { Agent } from '../../rig/agent.ts'
import type { Rig } from '../../rig/rig.ts'

/** Configures the user's tmux to keep dead panes. Call it before the first session on its server. */
export async function keepDeadPanes({ probe, places }: Rig): Promise<void> {
  await probe.write(`${places.home}/.tmux.conf`, 'set -g remain-on-exit on\n')
}

/**
 * Gives the user a configuration of tmux by which whatever nobody is attached to ends, dead panes stay, numbers and names are
 * others, and hooks open a pane and rename a window. It holds for the server that the deploy starts.
 */
export async function configureTmux({ probe, places }: Rig): Promise<void> {
  const lines = [
    'set -g destroy-unattached on',
    'set -s exit-unattached on',
    'setw -g remain-on-exit on',
    'set -g base-index 1',
    'setw -g pane-base-index 1',
    'set -g renumber-windows on',
    'setw -g automatic-rename on',
    'set -g detach-on-destroy off',
    'set-hook -g session-created "split-window -d \'exec sleep infinity\'"',
    'set-hook -g after-new-session "rename-window work"',
    'set-hook -g pane-died "display-message died"',
  ]
  await probe.write(`${places.home}/.tmux.conf`, `${lines.join('\n')}\n`)
}

/**
 * Keeps a shell in an agent's pane after its pipeline, as `; exec $SHELL` does, for every system that starts the pipeline
 * with bash: a script in BASH_ENV runs the command and then becomes a shell. Call it before the first session.
 */
export async function keepShells({ probe, places }: Rig): Promise<void> {
  const script = `${places.home}/.keep-shell`
  await probe.write(
    script,
    [
      'case $BASH_EXECUTION_STRING in',
      '*_stream.jsonl*)',
      '  unset BASH_ENV',
      '  eval "$BASH_EXECUTION_STRING"',
      '  exec bash --norc',
      'esac',
      '',
    ].join('\n'),
  )
  await probe.write(`${places.home}/.tmux.conf`, `set-environment -g BASH_ENV ${script}\n`)
}

const deadlineMs = 60_000

/** Opens two more panes for an agent: one beside claude, and a window whose process ignores SIGHUP. */
export async function openMorePanes(agent: Agent): Promise<void> {
  const { socket, session, pane } = await agent.pane()
  const run = (...args: string[]) => agent.rig.probe.run(['tmux', '-S', socket, ...args])
  const before = await sleeps(agent)
  await run('split-window', '-d', '-t', pane, 'exec sleep 1200')
  await run('new-window', '-d', '-t', `${session}:`, "trap '' HUP; sleep 1200; :")
  // They can be attributed only while their session exists, and a shell may take a while to start its command.
  const seen = await poll(deadlineMs, async () => {
    return (await sleeps(agent)) === before + 2 || undefined
  })
  if (!seen) throw new CannotMeasureError(`The panes of agent ${agent.id} did not start.`)
}

async function sleeps(agent: Agent): Promise<number> {
  return (await agent.processes()).filter(({ command }) => command === 'sleep 1200').length
}
