# A session in the background: `claude --bg`, whose service and worker outlive the agent. $1: claude. $2: its number.
. /proc/self/fd/0
. "${0%/*}/../plan.sh"

id=$("$1" --bg "Background work $2 of $SESSION" </dev/null | sed -n 's/^backgrounded [^ ]* //p')
[ -n "$id" ] || exit
roster=$(cat "$HOME_CLAUDE/daemon/roster.json")
# The worker's entry goes to the next one, or to the end.
entry=$(printf %s "$roster" | sed 's/.*"'"$id"'":{//')
service=$(printf %s "$roster" | sed 's/.*"supervisorPid":\([0-9]*\).*/\1/')
for host in $(cat "/proc/$service/task/$service/children"); do report host "$host"; done
report service "$service"
report worker "$(printf %s "$entry" | sed 's/[^}]*}[^}]*}[^}]*},"replPid":\([0-9]*\).*/\1/')"
