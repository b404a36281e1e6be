import { childrenOf } from '../platform/processes/children.ts'
import { startOf } from '../platform/processes/table.ts'
import { quote } from '../platform/shell.ts'
import { type AgentRef, adoptedChildrenFile } from '../registry/layout.ts'
import { confirmed } from './confirmed.ts'
import type { Launch } from './contain.ts'

/** No process's number. */
const NONE = -1

/**
 * The subreaper stands below the pane's process, not in its place: whoever kills that one with -9 does not take the
 * subreaper with it. tini ends with its child, and then the orphans go to process 1. So that child, a shell, stays to
 * the end of the pipeline, through a hang-up too, and notes who is there, for the cleanup to read.
 */
export function belowTini(ref: AgentRef, tini: string, pipeline: string): Launch {
  const inner = `trap : HUP INT TERM
${pipeline}
status=$?
${noteAdoptedChildren(adoptedChildrenFile(ref))}
exit $status`
  return {
    // "exit", because bash would otherwise become tini instead of starting it.
    command: ['bash', '-c', '"$0" -s -- bash -c "$1"; exit $?', tini, inner],
    async confirm(panePid) {
      const pid = await confirmed(() => (startOf(panePid) === undefined ? NONE : childrenOf(panePid)?.[0]))
      const start = startOf(pid ?? NONE)
      return pid && start ? { by: 'tini', pid, start } : undefined
    },
  }
}

/** Lines for bash, which starts nothing for them: pid and start of all below its parent, but for itself. */
const noteAdoptedChildren = (file: string): string => `note() {
  local pid=$1 list kids kid stat
  for list in "/proc/$pid/task/"*/children; do
    read -r -a kids <"$list"
    for kid in "\${kids[@]}"; do
      [ "$kid" = $$ ] && continue
      stat=
      read -r -d '' stat <"/proc/$kid/stat"
      set -- \${stat##*) }
      [ -z "\${20}" ] || echo "$kid \${20}" >>${quote(file)}
      note "$kid"
    done
  done
}
note $PPID 2>/dev/null`
