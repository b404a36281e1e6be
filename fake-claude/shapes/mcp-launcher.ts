import type { Settings } from '../cli/settings.ts'
import type { ServerConfig } from '../process/mcp/config.ts'
import { script } from './launch.ts'

/** The MCP servers behind a launcher: more entries in the configuration, as `npx some-server` would be one. */
export function launcherConfigs({
  shape,
  children = 1,
  afterMs = 0,
  resistMs,
  depth,
}: Settings): ServerConfig[] {
  if (!shape?.programs.includes('mcp-launcher')) return []
  const patience = [String(afterMs), String(resistMs ?? '')]
  const args = [script('programs/mcp-launcher.sh'), String(depth + 1), ...patience]
  const names = Array.from({ length: children }, (_, at) => `launched-${at + 1}`)
  return names.map(name => ({ name, source: 'dynamic', command: 'sh', args, env: {} }))
}
