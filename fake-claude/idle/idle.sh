# claude while it only waits: become-idle.ts put this in Node's place. $1: the plan; the rest are claude's own arguments,
# for ps to show.
came= ended= nudge=
trap 'came=${came:-HUP}' HUP
trap 'came=${came:-INT}' INT
trap 'came=${came:-TERM}' TERM
. "$1"
. "${0%/*}/ending.sh"
# Behind the traps: a plan that is gone tells the guard that claude ends by itself from here on.
rm -f "$PLAN"
trap '' PIPE TTIN TTOU

# A signal that this version does not handle.
for signal in HUP INT TERM; do
  case " $HANDLED " in
  *" $signal "*) continue ;;
  esac
  trap - "$signal"
  [ "$came" != "$signal" ] || kill -s "$signal" $$
done

# Descriptor 0 is the socket in which the pipes to the MCP servers are (hold-pipes.ts): it is kept, never read.
if [ -n "$HELD" ]; then
  exec 3<&0
  { : <"$STDIN"; } 2>/dev/null || STDIN=/dev/null
  exec <"$STDIN"
fi

end() {
  eval "steps=\$$1_STEPS code=\$$1_CODE abrupt=\$$1_ABRUPT words=\$$1_WORDS"
  if [ -z "$abrupt" ]; then
    end_children "$steps"
    say "$words"
    remove_files
  fi
  note "\"what\":\"ended\",\"code\":$code"
  exit "$code"
}

# The end of a child interrupts the waiting.
trap 'ended=yes' CHLD
# It waits by reading what nobody writes into. Without that it would spin: rather leave.
mkfifo "$FIFO" || end EXIT
exec 4<>"$FIFO"
rm -f "$FIFO"
note '"what":"idle"'

# A signal that arrives in the few microseconds between the last look at `came` and the system call below does not
# interrupt it (there is no sigsuspend in a shell that has no job to wait for). So whenever something has happened, one
# nudge follows, a third of a second later. Behind the turn that collects the nudge there is none: there those
# microseconds are all that is left.
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
    say "$BACKGROUND_WORDS"
    end EXIT
  fi
  if [ -n "$FOREGROUND" ] && ! any_alive $FOREGROUND; then
    say "$FOREGROUND_WORDS"
    FOREGROUND=
    TERM_WORDS='' INT_WORDS='' HUP_WORDS=''
  fi
  nudge_once
  # What has come or ended since this turn began is looked at in the next one.
  [ -n "$came$ended" ] || read -r _ <&4
done
