import fs from 'node:fs'
import path from 'node:path'
import type { AgentRef } from '../../index.ts'
import type { Deployment, Rig } from './rig.ts'
import { until } from './until.ts'

/** The session id of the agent that a test deploys. */
export const SESSION = '5e55104e-0000-4000-8000-000000000001'
/** A pid that no process has: the kernel's maximum is 4,194,304. */
export const UNUSED_PID = 4_200_000

const VARIABLES = ['HOME', 'CLAUDE_CODE_TMPDIR'] as const

/**
 * A user's home folder and claude's base folder for temporary files. Sets HOME and CLAUDE_CODE_TMPDIR of the test's
 * process, and so of the cleaner; dispose restores them.
 */
export class ClaudeHome implements Disposable {
  readonly home: string
  readonly base: string
  readonly claude: string
  /** The folder in which claude keeps the temporary files of this user's sessions. */
  readonly temporary: string
  readonly #rig: Rig
  readonly #before = VARIABLES.map(name => [name, process.env[name]] as const)

  constructor(rig: Rig) {
    this.#rig = rig
    this.home = path.join(rig.folder, 'home')
    this.base = path.join(rig.folder, 'base')
    this.claude = path.join(this.home, '.claude')
    this.temporary = path.join(this.base, `claude-${process.geteuid?.()}`)
    for (const folder of [this.claude, this.base]) fs.mkdirSync(folder, { recursive: true })
    Object.assign(process.env, { HOME: this.home, CLAUDE_CODE_TMPDIR: this.base })
  }

  /** Writes a file, with the folders above it, and returns its path. An object is written as JSON. */
  write(file: string, content: string | object = 'not to be touched'): string {
    fs.mkdirSync(path.dirname(file), { recursive: true })
    fs.writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
    return file
  }

  /** Writes what claude writes for a session that leads a team: temporary files below `folder`, and the team's files. Returns the paths. */
  writeSession(session: string, team: string, folder = 'slug'): string[] {
    const temporary = path.join(this.temporary, folder, session)
    return [
      this.write(path.join(temporary, 'note')),
      this.write(path.join(temporary, 'tasks/fg.output')),
      ...this.writeTeam(session, team),
    ]
  }

  writeTeam(session: string, team: string, claude = this.claude): string[] {
    return [
      this.write(path.join(claude, 'tasks', team, '1.json')),
      this.write(path.join(claude, 'teams', team, 'config.json'), { leadSessionId: session }),
    ]
  }

  /** Waits 1.5 s, so that files written before and after differ by more than the cleanup's tolerance for clock skew. */
  async waitPastClockSkew(): Promise<void> {
    const now = Date.now()
    await until('1.5 s have passed', () => Date.now() > now + 1_500)
  }

  /** Deploys an agent whose log names the session, and whose processes carry the session id in their environment. */
  deploy(id: string, session = SESSION, deployment: Partial<Deployment> = {}): Promise<AgentRef> {
    const lines = [
      { type: 'system', subtype: 'init', session_id: session, cwd: this.#rig.folder },
      { type: 'system', subtype: 'task_started', session_id: session, task_id: 'fg', is_backgrounded: false },
    ]
    const claude = `
      export HOME=${this.home} CLAUDE_CODE_TMPDIR=${this.base} CLAUDE_CODE_SESSION_ID='${session}'
      ${lines.map(line => `echo '${JSON.stringify(line)}'`).join('\n')}
      sleep 1000 & echo ready; wait`
    return this.#rig.deploy(id, { claude, ...deployment })
  }

  [Symbol.dispose](): void {
    for (const [name, value] of this.#before)
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
  }
}
