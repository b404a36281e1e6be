# claude while it is idle: become-idle.ts execs this in place of Node. $1: the plan. The rest are claude's own arguments,
# which ps shows.
came= ended= nudge=
trap 'came=${came:-HUP}' HUP
trap 'came=${came:-INT}' INT
trap 'came=${came:-TERM}' TERM
. "$1"
. "${0%/*}/ending.sh"
# Only after the traps: a missing plan means for the guard that claude can end by itself.
rm -f "$PLAN"
trap '' PIPE TTIN TTOU

# Signals that this version does not handle get their default back.
for signal in HUP INT TERM; do
  case " $HANDLED " in
  *" $signal "*) continue ;;
  esac
  trap - "$signal"
  [ "$came" != "$signal" ] || kill -s "$signal" $$
done

# Descriptor 0 is the socket that holds the pipes to the MCP servers (hold-pipes.ts). It is kept open and never read.
if [ -n "$HELD" ]; then
  exec 3<&0
  { : <"$STDIN"; } 2>/dev/null || STDIN=/dev/null
  exec <"$STDIN"
fi

end() {
  eval "steps=\$$1_STEPS code=\$$1_CODE abrupt=\$$1_ABRUPT words=\$$1_WORDS"
  if [ -z "$abrupt" ]; then
    end_children "$steps"
    print_events "$words"
    remove_files
  fi
  note "\"what\":\"ended\",\"code\":$code"
  exit "$code"
}

# The end of a child interrupts the waiting.
trap 'ended=yes' CHLD
# It waits by reading a FIFO without a writer. If there can be none, it exits, because it would spin.
mkfifo "$FIFO" || end EXIT
exec 4<>"$FIFO"
rm -f "$FIFO"
note '"what":"idle"'

# A signal in the few microseconds between the test of `came` and the `read` below does not interrupt that read (a shell
# without a job has no sigsuspend). So a nudge, a short-lived child, interrupts the read once more, a third of a second
# after anything has happened. After the nudge's own end there is no other one: those microseconds remain.
nudge_once() {
  if [ -z "$nudge" ]; then
    sleep 0.3 </dev/null >/dev/null 2>&1 3<&- 4<&- &
    nudge=$!
  elif ! alive "$nudge"; then
    wait "$nudge"
    nudge=
  fi
}

while :; do
  ended=
  if [ -n "$came" ]; then
    note "\"what\":\"signal\",\"signal\":\"SIG$came\""
    end "$came"
  fi
  if [ -n "$BACKGROUND" ] && ! any_alive $BACKGROUND; then
    print_events "$BACKGROUND_WORDS"
    end EXIT
  fi
  if [ -n "$FOREGROUND" ] && ! any_alive $FOREGROUND; then
    print_events "$FOREGROUND_WORDS"
    FOREGROUND=
    TERM_WORDS='' INT_WORDS='' HUP_WORDS=''
  fi
  nudge_once
  # Whatever has come or ended since this turn began is handled in the next one.
  [ -n "$came$ended" ] || read -r _ <&4
done
