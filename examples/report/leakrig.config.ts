import { defineSystem, type SystemDefinition } from 'leakrig/config'

const repository = process.env.REPORT_REPOSITORY ?? 'https://github.com/Albaraazain/ClaudeOrchestratorMCP'

const server = ['/usr/bin/python3', '{install}/real_mcp_server.py']
const folder = '{work}/.agent-workspace/{task}'

/** The orchestrator of the report that leakrig is built on, at a commit of its repository. */
const atCommit = (name: string, commit: string, more: Partial<SystemDefinition> = {}) =>
  defineSystem({
    name,
    install: {
      run: `git clone --quiet --no-checkout '${repository}' "$LEAKRIG_INSTALL" && git -C "$LEAKRIG_INSTALL" checkout --quiet ${commit}`,
    },
    // Its library comes from another registry than npm's; stand-in/fastmcp.py takes its place.
    mcp: { command: server, cwd: '{work}', env: { PYTHONPATH: '{project}/stand-in' } },
    prepare: [
      // As its README says, so that each agent has a server of its own, by which it reports.
      {
        run: `claude mcp add claude-orchestrator --scope user --env PYTHONPATH={project}/stand-in -- ${server.join(' ')}`,
      },
      { tool: 'create_real_task', args: { description: 'measured' }, result: { task: '/task_id' } },
    ],
    deploy: [
      // Later versions refuse a second agent of a type in one task.
      { run: 'echo {type}$(date +%N)', result: /(?<unique>\S+)/ },
      {
        tool: 'deploy_headless_agent',
        args: { task_id: '{task}', agent_type: '{unique}', prompt: '{prompt}' },
        result: { id: '/agent_id', session: '/tmux_session' },
      },
    ],
    kill: { tool: 'kill_real_agent', args: { task_id: '{task}', agent_id: '{id}', reason: '{reason}' } },
    completes: {
      inside: {
        tool: 'update_agent_progress',
        args: { task_id: '{task}', agent_id: '{id}', status: 'completed', message: 'done', progress: 100 },
      },
    },
    maxAgents: 20,
    files: {
      archive: /\/\.agent-workspace\/[^/]+\/archive\//,
      prompt: /\/agent_prompt_[^/]*\.txt$/,
      'stream log': /_stream\.jsonl$/,
      progress: /_progress\.jsonl$/,
      findings: /_findings\.jsonl$/,
      'deploy log': /\/deploy_[^/]*\.json$/,
      registry: /\/(AGENT|GLOBAL)_REGISTRY\.json$/,
    },
    registries: [
      { name: 'task', path: /\/AGENT_REGISTRY\.json$/, agents: '/agents', active: '/active_count' },
      { name: 'global', path: /\/GLOBAL_REGISTRY\.json$/, agents: '/agents', active: '/active_agents' },
    ],
    load: [{ process: 'tee' }, { file: 'prompt' }, { open: /_stream\.jsonl$/ }],
    ...more,
  })

export default [
  /** On the day of the report. */
  atCommit('report-before', '8e57beb'),
  /** A day later, with the cleanup that the report asked for. */
  atCommit('report-after', '52487f0', {
    keeps: [{ path: /\/archive\/[^/]+$/, why: 'archived logs' }],
    logs: { live: `${folder}/logs/{id}_stream.jsonl`, archived: `${folder}/archive/{id}_stream.jsonl` },
  }),
]
