#!/bin/sh
# Process 1 of the namespace sandbox: makes the private places, starts the probe and collects every orphan
# while it waits (a waiting shell reaps whatever child it is given, which is what `tini` does too).
# Descriptor 3 is the lifeline: the rig holds its other end, and the kernel closes that for a killed rig.
set -eu
project=$1
shift

# Nothing outside may be written, whoever owns it: a faulty cleanup is what we test here.
while read -r _ _ _ _ point _; do
  case $point in /proc* | /dev*) continue ;; esac
  mount -o remount,bind,ro "$(printf %b "$point")" 2>/dev/null || true
done </proc/self/mountinfo
mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys

mount -t devpts -o newinstance,ptmxmode=0666 devpts /dev/pts
if [ -d /dev/shm ]; then mount -t tmpfs tmpfs /dev/shm; fi

# The project may lie below /tmp, where the new /tmp would hide it: it is held by the current folder.
cd "$project"
mount -t tmpfs -o mode=1777 tmpfs /tmp
if [ ! -e "$project/package.json" ]; then
  mkdir -p "$project"
  mount --no-canonicalize --bind . "$project"
  mount -o remount,bind,ro "$project"
fi
cd /tmp

(
  read -r _ <&3 || true
  kill -KILL -1
) </dev/null >/dev/null 2>&1 &

# A background command would get /dev/null for its standard input; the probe needs ours.
exec 4<&0
"$@" 3<&- <&4 4<&- &
wait $!
