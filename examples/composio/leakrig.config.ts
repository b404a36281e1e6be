import { defineSystem } from 'leakrig/config'

const packages = [
  '@composio/ao-core',
  '@composio/ao-plugin-runtime-tmux',
  '@composio/ao-plugin-agent-claude-code',
  '@composio/ao-plugin-workspace-worktree',
]

/** What is used here of its session manager. */
interface Manager {
  spawn(task: { projectId: string; prompt: string }): Promise<{ id: string; runtimeHandle: { id: string } }>
  kill(id: string): Promise<void>
  cleanup(projectId: string): Promise<unknown>
}

let made: Promise<Manager> | undefined

/** The one manager of this process. */
function manager({ install = '', work = '' }: Record<string, string>): Promise<Manager> {
  const load = (name: string) => import(`${install}/node_modules/${name}/dist/index.js`)
  const make = async () => {
    const { loadConfig, createPluginRegistry, createSessionManager } = await load('@composio/ao-core')
    const config = loadConfig(`${work}/agent-orchestrator.yaml`)
    const registry = createPluginRegistry()
    await registry.loadFromConfig(config, load)
    return createSessionManager({ config, registry })
  }
  made ??= make()
  return made
}

/** A library: each agent is an interactive claude in a tmux session and a git worktree of its own. */
export default defineSystem({
  name: '@composio/ao-core',
  install: {
    run: `npm install --prefix "$LEAKRIG_INSTALL" --ignore-scripts ${packages.map(name => `${name}@0.2.0`).join(' ')}`,
  },
  prepare: {
    run: `
      git config --global user.name leakrig
      git config --global user.email leakrig@localhost
      git init --quiet --bare --initial-branch=main origin.git
      git clone --quiet origin.git repo
      git -C repo commit --quiet --allow-empty -m first
      git -C repo push --quiet origin HEAD:main
      git -C repo fetch --quiet
      cat >agent-orchestrator.yaml <<END
      defaults: { runtime: tmux, agent: claude-code, workspace: worktree, notifiers: [] }
      projects: { repo: { repo: owner/repo, path: $PWD/repo, defaultBranch: main } }
END`,
  },
  async deploy(given) {
    const { id, runtimeHandle } = await (await manager(given)).spawn({
      projectId: 'repo',
      prompt: given.prompt ?? '',
    })
    return { id, session: runtimeHandle.id }
  },
  async kill(given) {
    await (await manager(given)).kill(given.id ?? '')
  },
  // What its user runs, or its lifecycle worker.
  async recover(given) {
    await (await manager(given)).cleanup('repo')
  },
  files: {
    state: /\/\.agent-orchestrator\/[^/]+\/(\.origin|sessions\/[^/]+)$/,
    archive: /\/\.agent-orchestrator\/[^/]+\/sessions\/archive\//,
  },
  keeps: [
    { path: /\/sessions\/archive\/[^/]+$/, why: 'it archives the record of each agent' },
    { path: /\/\.agent-orchestrator\/[^/]+\/\.origin$/, why: 'which project the folder belongs to' },
    { path: /\/repo\/\.git\/(logs\/)?refs\/heads\/session\/[^/]+$/, why: 'the branch has the agent’s work' },
  ],
})
