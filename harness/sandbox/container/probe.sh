#!/bin/sh
# Runs the probe on the exec stream and holds the container's lifeline meanwhile; the probe and what it starts
# must not inherit that end. (The pipe appears when process 1 has come so far.)
until [ -p /dev/shm/lifeline ]; do sleep 0.01; done
exec 9>/dev/shm/lifeline
printf 1 >&9
"$@" 9>&-
