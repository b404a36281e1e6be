#!/bin/sh
# Plants what is there before any agent: a user's tmux session and claude on the server that agents are deployed to, a job
# of that server, a claude outside of tmux, a tmux server of the user's own, and a session named like an agent's that the
# user is attached to. A claude here is a shell of that name with a tool below it in a session of its own. It has the name,
# arguments, environment and tree that cleanups check, and takes 2 MB. It lies where no PATH finds it in place of the fake one.
# $1: `shared` or `separate`, whether the user's sessions are on the agents' server. The user's other servers are without
# ~/.tmux.conf, which is a fault of the agents' server.
set -eu
mkdir -p "$HOME/my-programs"
ln -s /bin/sh "$HOME/my-programs/claude"
mkfifo "$HOME/notes"
works='setsid sleep infinity & wait'
claude() {
  set -- "$@" "$HOME/my-programs/claude" -c "$works" claude --print --output-format stream-json --verbose 'Help me.'
  "$@"
}
export CLAUDECODE=1 CLAUDE_CODE_ENTRYPOINT=sdk-cli

if [ "$1" = shared ]; then server=default && shift; else server=users && set -- -f /dev/null; fi
tmux -L "$server" "$@" new-session -d -s my-work sleep infinity
tmux -L "$server" run-shell -b 'exec sleep infinity'
claude tmux -L "$server" new-session -d -s my-claude
tmux -L mine -f /dev/null new-session -d -s agent_of-mine sleep infinity
sh "${0%/*}/attached-session.sh" -L "$server" agent_notes
claude setsid -f >/dev/null 2>&1 </dev/null
