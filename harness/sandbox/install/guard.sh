#!/bin/sh
# Runs an install step, and ends all of it and removes what it made when the rig is gone. Descriptor 3 is the lifeline, whose
# other end the rig holds. Descriptor 4 holds the lock; only this script inherits it, so that a service that the step leaves
# running keeps no lock. $1: the command, for bash. Its two outputs become one, so that the lines keep their order.
set -u
exec 2>&1
setsid bash -c "$1" </dev/null 3<&- 4<&- &
child=$!
(
  read -r _ <&3
  # The end of the step must not end this before it has removed everything.
  trap '' TERM
  kill -s KILL -- "-$child" 2>/dev/null
  cd / && rm -rf "$LEAKRIG_INSTALL"
) &
watcher=$!
exec 3<&-
wait "$child"
code=$?
kill "$watcher" 2>/dev/null
exit "$code"
