#!/bin/bash
# The container's process 1. It reaps every orphan, and runs as long as heartbeats of the rig arrive on a pipe, where the
# probe passes them on. When the rig is gone, its exec stream closes, the probe ends, the pipe closes, and the container
# ends. When the engine was killed, stream and probe stay open, and only the heartbeats stop.
# $1: where to make the pipe. $2: the longest silence, in seconds. $3: how many seconds without a heartbeat there may be in
# all, which limits the container's life. It also ends when no probe comes within a minute.
lifeline=$1 silence=$2 left=$3

# Waits for a heartbeat, $1 seconds at most, second by second: after a suspension the clock has jumped, and a longer
# `read -t` would time out at once. `read` is a builtin, so that no process is started. Bash reaps meanwhile.
await_heartbeat() {
  for ((second = 0; second < $1; second++)); do
    read -r -u 9 -t 1 && return
    (($? > 128)) || exit 0
    ((--left > 0)) || exit 124
  done
  exit 75
}

mkfifo -m 600 "$lifeline" || exit
# Opening only the reading end would wait for a writer, and for ever if the writer has come and gone.
exec 8<>"$lifeline" 9<"$lifeline"
await_heartbeat 60
exec 8>&-
while :; do await_heartbeat "$silence"; done
