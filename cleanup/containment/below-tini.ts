import { childrenOf } from '../platform/processes/children.ts'
import { startOf } from '../platform/processes/table.ts'
import { quote } from '../platform/shell.ts'
import { type AgentRef, adoptedChildrenFile } from '../registry/layout.ts'
import { type Launch, waitFor } from './launch.ts'

/** A pid that no process has. */
const NONE = -1

/**
 * Launches the pipeline below the subreaper `tini -s`. The subreaper is a child of the pane's process, so KILL to that
 * process does not take it along. tini exits with its child, and its orphans then go to process 1. So that child, a shell,
 * outlives the pipeline, even after a hangup, and records every process below the subreaper for the cleanup to read. It
 * catches HUP, INT and TERM with `trap :` and goes on; claude would inherit it if they were ignored (`trap ''`).
 */
export function belowTini(ref: AgentRef, tini: string, pipeline: string): Launch {
  const inner = `trap : HUP INT TERM
${pipeline}
status=$?
${noteAdoptedChildren(adoptedChildrenFile(ref))}
exit $status`
  return {
    // Without "exit", bash would exec tini and become it instead of starting it as a child.
    command: ['bash', '-c', '"$0" -s -- bash -c "$1"; exit $?', tini, inner],
    async confirm(panePid) {
      const pid = await waitFor(() => (startOf(panePid) === undefined ? NONE : childrenOf(panePid)?.[0]))
      const start = startOf(pid ?? NONE)
      return pid && start ? { by: 'tini', pid, start } : undefined
    },
  }
}

/** Bash lines that record pid and start of every process below their parent but themselves. They start no process. */
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
