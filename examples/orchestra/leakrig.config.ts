import { defineSystem } from 'leakrig/config'

const services = 'bash {install}/node_modules/@humanu/orchestra/dist/services.sh'

/** A manager of git worktrees and tmux sessions: its user writes the command line that starts claude. */
export default defineSystem({
  name: '@humanu/orchestra',
  install: {
    run: `
      npm install --prefix "$LEAKRIG_INSTALL" --ignore-scripts @humanu/orchestra@0.5.81
      node "$LEAKRIG_INSTALL/node_modules/@humanu/orchestra/install.js"`,
  },
  env: { GW_ORCHESTRATOR_ROOT: '{install}/node_modules/@humanu/orchestra/dist' },
  prepare: {
    run: `
      git config --global user.name leakrig
      git config --global user.email leakrig@localhost
      git init --quiet repo
      git -C repo commit --quiet --allow-empty -m first
      cd repo && ${services} create-worktree task-1`,
  },
  deploy: {
    cwd: '{work}/repo',
    // The pane's shell gets the prompt from a file, because what is typed into it has a line for each line of a prompt.
    run: `
      name=agent-$(date +%s%N)
      printf %s {prompt} >{work}/$name.prompt
      session=$(${services} create-session task-1 "$name" {work}/repo/worktrees/task-1 | jq --raw-output .)
      ${services} tmux-send-keys "$session" \\
        "claude --print --output-format stream-json --verbose --dangerously-skip-permissions \\"\\$(cat ../../../$name.prompt)\\""
      echo "started $session"`,
    result: /started (?<session>\S+)/,
  },
  kill: { cwd: '{work}/repo', run: `${services} kill-session {session}`, failedWhen: '"error"' },
  // Nothing of it notices that claude exits, and the session's shell goes on: its user ends the session in the same way.
  completes: {
    exit: { cwd: '{work}/repo', run: `${services} kill-session {session}`, failedWhen: '"error"' },
  },
  list: { cwd: '{work}/repo', run: `${services} list-sessions task-1`, each: /"(?<id>[^"]+)"/ },
  files: { state: /\/\.orchestra\/orchestra\.sqlite3/ },
  keeps: [
    { path: /\/\.orchestra\/orchestra\.sqlite3/, why: 'the database of its sessions' },
    { path: /\/agent-\d+\.prompt$/, why: 'ours: how the prompt reaches the pane' },
  ],
})
