#!/bin/sh
# Runs the probe on the exec stream, and keeps the container's lifeline ($1) open meanwhile. The probe and its children
# must not inherit that descriptor. The pipe appears when process 1 has made it.
lifeline=$1
shift
until [ -p "$lifeline" ]; do sleep 0.01; done
exec 9>"$lifeline"
echo >&9
"$@" 9>&-
