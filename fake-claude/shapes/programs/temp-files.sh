# Files that outlive every process: $1 of the files in which the Bash tool records its folder, and a team, whose name is
# taken from then on.
. /proc/self/fd/0
. "${0%/*}/../plan.sh"

for _ in $(seq "$1"); do
  # Never overwrites an existing file.
  until
    file=$BASE/claude-$(od -An -N2 -tx1 /dev/urandom | tr -d ' ')-cwd
    (set -C && pwd -P >"$file")
  do [ -d "$BASE" ] || exit; done 2>/dev/null
  report file 0 "$file"
done
team=$HOME_CLAUDE/teams/swarm-$CLAUDE
mkdir -p "$team/inboxes" "$HOME_CLAUDE/tasks/swarm-$CLAUDE"
cat >"$team/config.json" <<END
{"name": "swarm-$CLAUDE", "leadSessionId": "$SESSION", "members": [{"name": "team-lead", "tmuxPaneId": "$TMUX_PANE"}]}
END
printf '[]\n' >"$team/inboxes/team-lead.json"
report files 0 "$team"
