import { projectRoot } from '../../../bin/programs.ts'
import { checkDefinition } from '../../definition/check.ts'
import type { SystemDefinition } from '../../definition/definition.ts'
import type { System } from '../../definition/system.ts'

/** A definition as the rig uses it. @throws with its mistakes */
export function planned(definition: SystemDefinition): System {
  const outcome = checkDefinition(definition, { folder: projectRoot, path: [] })
  if ('system' in outcome) return outcome.system
  throw new Error(outcome.mistakes.join('\n'))
}

/** How claude is started headless, without its prompt. */
export const headless = 'claude --print --output-format stream-json --verbose --dangerously-skip-permissions'

/** An orchestrator of shell commands with a session for each agent. */
export const shellSystem: SystemDefinition = {
  name: 'shell',
  deploy: {
    run: `id=agent-$(date +%s%N); tmux new-session -d -s "$id" -e PROMPT={prompt} '${headless} "$PROMPT"'; echo "id $id"`,
    result: /id (?<session>\S+)/,
  },
  kill: { run: 'tmux kill-session -t ={session}:' },
}
