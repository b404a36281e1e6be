# A session on the tmux server that claude runs in, and a job of that server for it, which ignores the signals that end
# others. Neither gets anything of claude's environment. $1: its number. The plan is on descriptor 0.
. /proc/self/fd/0
. "${0%/*}/../plan.sh"

session=guest-$CLAUDE
[ "$1" -eq 1 ] || session=$session-$1
pid=$FOLDER/guest-$1
tmux new-session -d -s "$session" 'exec sleep 1200' </dev/null || exit
report pane "$(tmux display-message -p -t "=$session:" '#{pane_pid}' </dev/null)"
tmux run-shell -b -t "=$session:" "trap '' HUP TERM; echo \$\$ >'$pid'; exec sleep 1200" </dev/null || exit
until [ -s "$pid" ]; do sleep 0.02; done
report job "$(cat "$pid")"
rm "$pid"
