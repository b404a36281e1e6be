# Covers the few milliseconds in which claude becomes idle.sh and a signal would end it by the kernel's default. If that
# happens, this ends the children and removes the files as claude would have done. $1: the plan.
# It ignores signals, because a killer of all of claude's children signals it too.
trap '' HUP INT TERM
. "$1"
. "${0%/*}/ending.sh"
echo ready

# claude has the other end of stdin, close-on-exec: it closes when claude becomes the shell or dies. A line means that
# claude does neither.
read -r _ && exit 0

while alive "$CLAUDE"; do
  while read -r name mask; do
    # TERM is the last signal that idle.sh prepares for.
    [ "$name" != SigCgt: ] || [ $((0x$mask & 0x4000)) -eq 0 ] || exit 0
  done <"/proc/$CLAUDE/status"
  sleep 0.002
done 2>/dev/null

# Without the plan claude had its traps already, unseen by the loop above, and has ended by them or by SIGKILL.
[ -e "$PLAN" ] || exit 0

end_children "$TERM_STEPS"
remove_files
rm -f "$PLAN"
note '"what":"ended","signal":"one that came while claude was about to idle"'
