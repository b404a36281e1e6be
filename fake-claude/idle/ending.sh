# How claude ends, for a shell: the same as process/ending/ending.ts, by the plan that plan.ts wrote. Sourced by idle.sh
# (claude itself) and guard.sh.

# Adds an entry to the journal. $1: all of it after `t`.
note() {
  [ -n "$JOURNAL" ] || return 0
  # A killer of all of claude's children kills `date` too. The time is 0 then.
  local t=$(date +%s%3N)
  printf '{"t":%s,%s}\n' "${t:-0}" "$1" >>"$JOURNAL"
} 2>/dev/null

# Prints lines and records each in the journal; $1 has each line followed by its entry. Goes on without a reader.
print_events() {
  [ -n "$1" ] || return 0
  while IFS= read -r line && IFS= read -r entry; do
    printf '%s\n' "$line" && note "$entry"
  done 2>/dev/null <<END
$1
END
}

# A zombie has ended; kill -0 would call it alive.
alive() {
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  case ${stat##*)} in ' Z'* | ' X'*) return 1 ;; esac
}

any_alive() {
  for pid in "$@"; do alive "$pid" && return 0; done
  return 1
}

# Adds a pid and its descendants to TREE.
walk() {
  case " $TREE " in *" $1 "*) ;; *) TREE="$TREE $1" ;; esac
  local list kids kid
  for list in "/proc/$1"/task/*/children; do
    kids=
    { read -r kids <"$list"; } 2>/dev/null
    for kid in $kids; do walk "$kid"; done
  done
}

signal_all() {
  local signal=$1
  shift
  for pid in "$@"; do alive "$pid" && kill -s "$signal" "$pid" 2>/dev/null; done
}

pause() {
  local rest=$((1000 + $1 % 1000))
  sleep "$(($1 / 1000)).${rest#1}"
}

# $1: the steps. Does not wait for MCP servers that have ended.
end_children() {
  local step at to signal passed=0 wait
  TREE=
  for step in $1; do
    at=${step%%:*} signal=${step##*:}
    to=${step#*:} to=${to%:*}
    while [ "$passed" -lt "$at" ]; do
      [ "$to" != mcp ] || any_alive $MCP || break
      wait=$((at - passed))
      [ "$to" != mcp ] || [ "$wait" -lt 50 ] || wait=50
      pause "$wait"
      passed=$((passed + wait))
    done
    case $to in
    mcp) signal_all "$signal" $MCP ;;
    bash)
      for leader in $FOREGROUND $BACKGROUND; do walk "$leader"; done
      signal_all "$signal" $TREE
      ;;
    esac
  done
}

remove_files() {
  local IFS='
'
  rm -f $REMOVE
}
