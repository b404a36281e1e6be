import { quoted } from '../../process/children/bash-tools.ts'
import type { Claude } from '../../process/claude.ts'
import { runBash } from './bash.ts'

/**
 * Runs the script of the directive's `on-start` by the Bash tool, for orchestrators that wait for an answer of their worker. A
 * script that fails is reported in the journal and on stderr, and claude goes on.
 */
export async function onStart(claude: Claude): Promise<void> {
  const path = claude.settings.onStart
  if (path === undefined) return
  const tool = await runBash(claude, `sh ${quoted(path)}`, 'Report to the orchestrator')
  const code = await tool.ended
  const output = tool.printed ?? ''
  claude.note('on-start', { path, code, output })
  if (code !== 0)
    process.stderr.write(`fake-claude: the script ${path} (on-start) ended with ${code}: ${output.trim()}\n`)
}
