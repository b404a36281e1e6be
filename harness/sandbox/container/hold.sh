#!/bin/sh
# The container's main process. It lives as long as the probe's shell holds the other end of a pipe: a rig that
# is gone, however it went, takes its exec stream with it, the stream the probe, and the probe this container.
# $1: the longest life in seconds. Without a probe within a minute it ends too.
lifeline=/dev/shm/lifeline
mkfifo -m 600 "$lifeline"
timeout 60 head -c 1 "$lifeline" >/dev/null || exit 1
exec timeout "$1" cat "$lifeline" >/dev/null
