# A tmux server of the agent's own. $1: its number. The plan is on descriptor 0.
. /proc/self/fd/0
. "${0%/*}/../plan.sh"

label=swarm-$CLAUDE
[ "$1" -eq 1 ] || label=$label-$1
# Without the user's configuration, which might keep the session from starting.
tmux -L "$label" -f /dev/null new-session -d -s swarm 'exec sleep 1200' </dev/null || exit
pids=$(tmux -L "$label" display-message -p -t =swarm: '#{pane_pid} #{pid}' </dev/null)
report pane "${pids% *}"
report server "${pids#* }"
