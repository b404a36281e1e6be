#!/bin/sh
# Runs the probe on the exec stream and holds the container's lifeline ($1) meanwhile; the probe and what it starts
# must not inherit that end. (The pipe appears when process 1 has come so far.)
lifeline=$1
shift
until [ -p "$lifeline" ]; do sleep 0.01; done
exec 9>"$lifeline"
echo >&9
"$@" 9>&-
