# A job of the tmux server that claude runs in, which ignores the signals that end others. $1: its number. The plan is on
# descriptor 0.
. /proc/self/fd/0
. "${0%/*}/../plan.sh"

pid=$FOLDER/job-$1
tmux run-shell -b "trap '' HUP TERM; echo \$\$ >'$pid'; exec sleep 1200" </dev/null || exit
until [ -s "$pid" ]; do sleep 0.02; done
report job "$(cat "$pid")"
rm "$pid"
