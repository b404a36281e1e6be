import { defineSystem } from 'leakrig/config'

const omc = 'node {install}/node_modules/oh-my-claude-sisyphus/bin/oh-my-claudecode.js team'

/** Teams of claudes: each team here has one, in a pane of a tmux server of its own. */
export default defineSystem({
  name: 'oh-my-claude-sisyphus',
  install: {
    run: 'npm install --prefix "$LEAKRIG_INSTALL" --ignore-scripts oh-my-claude-sisyphus@5.5.0',
  },
  claude: {
    // It types "Read .../inbox.md" into the pane, and cuts the prompt there at 80 characters.
    directives: 'orders',
    // It ends a worker that does not claim its task.
    onStart: `${omc} api claim-task --json --input '{"team_name":"'"$OMC_TEAM_NAME"'","task_id":"1","worker":"worker-1"}'`,
    startsWithinMs: 60_000,
  },
  deploy: [
    // One team for each repository: a second one is refused.
    {
      run: 'folder=$(mktemp --directory {work}/project-XXXXXX) && git init --quiet "$folder" && echo "$folder"',
      result: /(?<folder>\S+)/,
    },
    {
      cwd: '{folder}',
      // A team is named after the beginning of its task.
      run: `${omc} 1:claude --no-decompose --json "$(date +%s%N) "{prompt}`,
      result: { id: '/teamName' },
      failedWhen: '"in_progress":0',
      timeoutMs: 120_000,
    },
  ],
  kill: { cwd: '{folder}', run: `${omc} shutdown {id} --force` },
  recover: {
    cwd: '{folder}',
    run: `${omc} api orphan-cleanup --json --input '{"team_name":"'{id}'"}'`,
    timeoutMs: 120_000,
  },
  files: { prompt: /\/workers\/[^/]+\/(inbox|AGENTS)\.md$/, state: /\/\.omc\/state\// },
  keeps: [
    { path: /\/team-instances\/.*\/cleanup\.json$/, why: 'the record of a team that was shut down' },
    { path: /\/project-[^/]+\/\.git\//, why: 'ours: the repository' },
  ],
})
