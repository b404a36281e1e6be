import type { Agent } from '../agent.ts'
import type { Rig } from '../rig.ts'

/** A user whose tmux keeps panes whose process has ended: before the first session on its server. */
export async function keepDeadPanes({ probe, places }: Rig): Promise<void> {
  await probe.write(`${places.home}/.tmux.conf`, 'set -g remain-on-exit on\n')
}

/**
 * A shell that stays in an agent's pane behind its pipeline, as `; exec $SHELL` does, whatever the system starts
 * there with bash: it is told by BASH_ENV, and runs its own command first. Before the first session.
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

/** An agent that works in more than one pane: one beside claude, and a window whose process ignores the hang-up. */
export async function openMorePanes(agent: Agent): Promise<void> {
  const { socket, session, pane } = await agent.pane()
  const run = (...args: string[]) => agent.rig.probe.run(['tmux', '-S', socket, ...args])
  await run('split-window', '-d', '-t', pane, 'exec sleep 1200')
  await run('new-window', '-d', '-t', `${session}:`, "trap '' HUP; sleep 1200; :")
  await agent.rig.look() // whose they are is seen while their session is there
}
