import type { SystemDefinition } from '../definition/definition.ts'

const folder = '{work}/.agent-workspace/{task}'

/** What the report's system keeps in its workspace (sections 2 and 3): files, registries, logs and their archive. */
export const reportLayout: Pick<
  SystemDefinition,
  'files' | 'keeps' | 'registries' | 'statuses' | 'logs' | 'load'
> = {
  files: {
    archive: /\/\.agent-workspace\/[^/]+\/archive\//,
    prompt: /\/agent_prompt_[^/]*\.txt$/,
    'stream log': /_stream(?:[.-]\d[\d.:TZ_-]*)?\.jsonl(?:[.-]\d[\d.:TZ_-]*)?$/,
    progress: /_progress\.jsonl$/,
    findings: /_findings\.jsonl$/,
    'deploy log': /\/deploy_[^/]*\.(json|stderr)$/,
    registry: /\/(AGENT|GLOBAL)_REGISTRY\.json$/,
  },
  keeps: [
    { path: /\/archive\/[^/]+$/, why: 'archived logs stay until their retention ends' },
    { path: /\/registry\/retention-hold\.json$/, why: 'after a mass death nothing is purged for a day' },
  ],
  registries: [
    {
      name: 'task',
      path: /\/AGENT_REGISTRY\.json$/,
      agents: '/agents',
      reason: 'reason',
      active: '/active_count',
    },
    {
      name: 'global',
      path: /\/GLOBAL_REGISTRY\.json$/,
      agents: '/agents',
      reason: 'reason',
      active: '/active_agents',
    },
  ],
  statuses: { working: 'working', completed: 'completed', terminated: 'terminated', crashed: 'crashed' },
  logs: {
    live: `${folder}/logs/{id}_stream.jsonl`,
    archived: `${folder}/archive/{id}_stream.jsonl`,
    records: [
      { archived: `${folder}/archive/{id}_progress.jsonl`, tool: 'update_agent_progress' },
      { archived: `${folder}/archive/{id}_findings.jsonl`, tool: 'report_agent_finding' },
    ],
  },
  load: [{ process: 'tee' }, { file: 'prompt' }, { open: /_stream\.jsonl$/ }],
}
