import { mkdirSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The paths in a home where installers put claude, and where orchestrators look for it. They are the sandbox's own. */
export const claudeLinks = (home: string): string[] =>
  ['.local/bin', '.claude/local'].map(folder => join(home, folder, 'claude'))

/** Makes them lead to the fake claude of this sandbox. */
export function linkClaude(home: string): void {
  const claude = process.env.LEAKRIG_CLAUDE
  if (!claude) return
  for (const link of claudeLinks(home)) {
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(claude, link)
  }
}
