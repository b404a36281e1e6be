# report() of plan.pl, for a shell that has sourced the plan. $1: role. $2: pid, or 0 where $3 is a file.
report() {
  if [ -z "$LATE" ]; then
    printf '%s %s %s\n' "$2" "$1" "${3:--}" >>"$READY"
  elif [ -n "$JOURNAL" ]; then
    path=$(printf %s "$3" | sed 's/[\\"]/\\&/g')
    printf '{"t":%s,"what":"late","shape":"%s","role":"%s",%s}\n' "$(date +%s%3N)" "$SHAPE" "$1" \
      "$([ "$2" -gt 0 ] && echo "\"pid\":$2" || echo "\"path\":\"$path\"")" >>"$JOURNAL"
  fi
}
