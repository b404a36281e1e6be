/** The kinds of systems that a configuration can be begun for. */
export const kinds = {
  shell: 'commands of a shell start and end agents',
  mcp: 'tools of an MCP server do',
  module: 'functions of a JavaScript or TypeScript module do',
} as const
export type Kind = keyof typeof kinds

const head = `import { defineSystem } from 'leakrig/config'

// What the fields mean: docs/systems.md of leakrig. {prompt} and the like are filled in by leakrig.
export default defineSystem({
  name: 'mine',`

const tail = `  // An agent has a tmux session of its own. Otherwise: tmux: 'pane' (a pane in a shared one) or tmux: false (none).
  // keeps: [{ path: /\\/logs\\//, why: 'a user reads the logs afterwards' }],
})
`

const bodies: Record<Kind, string> = {
  shell: `
  // Starts an agent with that prompt. What it prints may name the agent: (?<id>...), (?<session>...), (?<pane>...).
  deploy: { run: '{project}/bin/mine start --prompt {prompt}', result: /started (?<session>\\S+)/ },
  // Ends it.
  kill: { run: '{project}/bin/mine stop {session}' },
  // Claude exits when it is done, and that ends the agent. Leave it out if an agent has to be ended in another way.
  // completes: { exit: true },
`,
  mcp: `
  mcp: { command: ['node', '{project}/server.js'] },
  // Starts an agent with that prompt. JSON pointers lead to what the answer names: id, session, pane.
  deploy: { tool: 'start_agent', args: { prompt: '{prompt}' }, result: { id: '/agent_id', session: '/session' } },
  // Ends it.
  kill: { tool: 'stop_agent', args: { agent_id: '{id}' } },
  // How an agent reports from inside its own pane that it has completed. Leave it out if no tool does that.
  // completes: { inside: { tool: 'report_done', args: { agent_id: '{id}' } } },
`,
  module: `
  // Starts an agent with that prompt. What the function returns may name the agent: id, session, pane, pid.
  deploy: { module: './src/agents.js', export: 'start' }, // start({ prompt, work, ... })
  // Ends it.
  kill: { module: './src/agents.js', export: 'stop' }, // stop({ id, session, pid, ... })
  // Claude exits when it is done, and that ends the agent. Leave it out if an agent has to be ended in another way.
  // completes: { exit: true },
`,
}

/** A configuration to begin with. */
export const configText = (kind: Kind): string => `${head}${bodies[kind]}${tail}`

/** A scenario of one's own. */
export const scenarioText = `import { expect, test } from 'leakrig/test'

// shape: 'own-session', 'daemon' ... (docs/catalogue.md) let the agent leave processes behind.
test('a kill ends everything that the agent started, and nothing of the user', async ({ rig, bystanders }) => {
  await bystanders.tmuxSession('my-work')
  const agent = await rig.deploy({ persona: 'works' })
  await agent.isKilled()
  await expect(rig).toReturnToBaseline()
})
`
