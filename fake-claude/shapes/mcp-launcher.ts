import type { Settings } from '../cli/settings.ts'
import type { ServerConfig } from '../process/mcp/config.ts'
import { script } from './launch.ts'

/** MCP servers behind a launcher, as more entries in the configuration; `npx some-server` is such a launcher. */
export function launcherConfigs({
  shape,
  children = 1,
  afterMs = 0,
  resistMs,
  depth,
}: Settings): ServerConfig[] {
  if (!shape?.programs.includes('mcp-launcher')) return []
  const times = [String(afterMs), String(resistMs ?? '')]
  const args = [script('programs/mcp-launcher.sh'), String(depth + 1), ...times]
  const names = Array.from({ length: children }, (_, at) => `launched-${at + 1}`)
  return names.map(name => ({ name, source: 'dynamic', command: 'sh', args, env: {} }))
}
