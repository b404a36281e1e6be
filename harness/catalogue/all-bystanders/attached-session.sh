#!/bin/sh
# Opens a user's session and stays attached to it. The user's terminal is a pane of a tmux server of their own.
# $1 and $2: the server, as an option of tmux and its value. $3: the session.
set -eu
tmux -L mine new-session -d -s "terminal-$3" env -u TMUX tmux "$1" "$2" new-session -s "$3" sleep infinity
until tmux "$1" "$2" list-clients -t "=$3" 2>/dev/null | grep -q .; do sleep 0.02; done
