#!/bin/sh
# Plants what resembles an agent without being part of it: sessions whose names begin like its own, a job that the user's
# tmux server runs for the user's session, a search for its id,
# a reader of its log, and a process with its marker in the command line.
# $1: its id. $2: its session, or nothing. $3: its stream log, or nothing. $4: its marker. $5: the tmux server for the sessions.
set -eu
id=$1 session=$2 log=$3 marker=$4 server=$5
if [ -n "$session" ]; then
  tmux -L "$server" new-session -d -s "${session}x" sleep infinity
  tmux -L "$server" new-session -d -s "${session%??}" sleep infinity
fi
tmux -L "$server" run-shell -b -t =my-work: 'exec sleep infinity'
setsid -f grep -e "claude.*agent_$id" "$HOME/notes" >/dev/null 2>&1 </dev/null
setsid -f sh -c 'sleep infinity; :' note "LEAKRIG_AGENT=$marker" "claude $session" >/dev/null 2>&1 </dev/null
[ -n "$log" ] || exit 0
until [ -e "$log" ]; do sleep 0.02; done
setsid -f tail -n 0 -f "$log" >/dev/null 2>&1 </dev/null
