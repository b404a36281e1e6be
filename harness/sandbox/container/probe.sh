#!/bin/bash
# Runs the probe on the exec stream, and keeps the container's lifeline ($1) open meanwhile. The probe and its children
# must not inherit that descriptor. The pipe appears when process 1 has made it.
# $2: how many arguments with links below /tmp follow, and these: each a path and its target. Then the probe's command.
lifeline=$1 left=$2
shift 2
for (( ; left > 0; left -= 2)); do
  [ -e "$1" ] || { mkdir -p "${1%/*}" && ln -s "$2" "$1"; } || exit
  shift 2
done
until [ -p "$lifeline" ]; do sleep 0.01; done
exec 9>"$lifeline"
echo >&9
"$@" 9>&-
