# Watches over claude for the few milliseconds in which it becomes idle.sh, when a signal ends it as the kernel does by
# default: then this does for the children and the files what claude would have done. $1: the plan.
# Whoever ends all of claude's children sends the same signal here.
trap '' HUP INT TERM
. "$1"
. "${0%/*}/ending.sh"
echo ready

# The other end is claude's and close-on-exec: it closes when claude becomes the shell, or dies. A line says that it
# will do neither.
read -r _ && exit 0

while alive "$CLAUDE"; do
  while read -r name mask; do
    # TERM is the last signal that idle.sh prepares for.
    [ "$name" != SigCgt: ] || [ $((0x$mask & 0x4000)) -eq 0 ] || exit 0
  done <"/proc/$CLAUDE/status"
  sleep 0.002
done 2>/dev/null

# It was gone before the look above could see its traps; but it had them, and has ended as it wanted to, or by SIGKILL.
[ -e "$PLAN" ] || exit 0

end_children "$TERM_STEPS"
remove_files
rm -f "$PLAN"
note '"what":"ended","signal":"one that came while claude was about to idle"'
