import { readdirSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** The paths of one session's files. */
export interface Places {
  /** /tmp, unless CLAUDE_CODE_TMPDIR says otherwise. */
  base: string
  home: string
  claude: string
  project: string
  transcript: string
  temporary: string
  tasks: string
  socket: string
  mcpLogs: string
}

export function placesOf(cwd: string, sessionId: string): Places {
  const slug = slugOf(cwd)
  const home = homedir()
  const claude = join(home, '.claude')
  const base = process.env.CLAUDE_CODE_TMPDIR || '/tmp'
  const temporary = join(base, `claude-${process.getuid?.()}`, slug, sessionId)
  const project = projectOf(cwd)
  return {
    base,
    home,
    claude,
    project,
    transcript: join(project, `${sessionId}.jsonl`),
    temporary,
    tasks: join(temporary, 'tasks'),
    socket: join(base, 'cc-socks', `${process.pid}.sock`),
    mcpLogs: join(home, '.cache/claude-cli-nodejs', slug),
  }
}

/** The ids of the sessions that ran in this folder, the latest first. */
export function sessionsOf(cwd: string): string[] {
  const project = projectOf(cwd)
  try {
    const files = readdirSync(project).filter(name => name.endsWith('.jsonl'))
    const age = (name: string) => statSync(join(project, name)).mtimeMs
    return files.sort((one, other) => age(other) - age(one)).map(name => name.slice(0, -'.jsonl'.length))
  } catch {
    return []
  }
}

function projectOf(cwd: string): string {
  return join(homedir(), '.claude/projects', slugOf(cwd))
}

function slugOf(cwd: string): string {
  return cwd.replaceAll(/[^A-Za-z0-9]/g, '-')
}
