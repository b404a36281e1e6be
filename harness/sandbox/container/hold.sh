#!/bin/bash
# The container's main process. It lives as long as it hears of the rig: the probe passes each sign of life on to a
# pipe. A rig that is gone, however it went, takes its exec stream with it, the stream the probe, and the end of the
# pipe this container; an engine that is killed leaves stream and probe open, and only the signs stop.
# $1: where to make the pipe. $2: the longest silence, in seconds. Without a probe within a minute it ends too.
lifeline=$1 silence=$2

# Waits for a sign, $1 seconds at most. One by one: after a suspension the clock has gone on, and bash then calls the
# read that is under way too late. No process is started for it, `read` is bash's own.
await_sign() {
  for ((second = 0; second < $1; second++)); do
    read -r -u 9 -t 1 && return
    (($? > 128)) || exit 0
  done
  exit 75
}

mkfifo -m 600 "$lifeline" || exit
# To open the reading end alone would wait for a writer, and forever for one that has come and gone.
exec 8<>"$lifeline" 9<"$lifeline"
await_sign 60
exec 8>&-
while :; do await_sign "$silence"; done
