import fs from 'node:fs'
import path from 'node:path'
import type { Rig } from './rig.ts'

/**
 * A shell in claude's place, to be killed: it has a home of its own, says its session, and starts two Bash tools in
 * sessions of their own, one of them in the background.
 */
export class ClaudeWithTools {
  /** The bash script to deploy. */
  readonly script: string
  readonly sessions: string
  /** Its HOME, and where it keeps its temporary files. */
  readonly home: string
  readonly base: string
  /** Snapshots of the shell, once it runs: the tools name the first one, nobody the second, which is of another time. */
  snapshots: string[] = []
  /** The outputs of the tool that claude waits for, and of the one in the background. */
  readonly outputs: string[]
  readonly #rig: Rig
  readonly #shells: string
  readonly #name: string

  constructor(rig: Rig, name: string, saysForeground = true) {
    this.#rig = rig
    this.#name = name
    const session = `5e55104e-0000-4000-8000-${Buffer.from(name).toString('hex').padEnd(12, '0').slice(-12)}`
    const folder = path.join(rig.folder, `claude-of-${name}`)
    this.home = folder
    this.base = path.join(folder, 'base')
    this.sessions = path.join(folder, '.claude/sessions')
    const tasks = path.join(this.base, `claude-${process.geteuid?.()}/slug`, session, 'tasks')
    const shells = path.join(folder, '.claude/shell-snapshots')
    this.#shells = shells
    this.outputs = ['fg', 'bg'].map(task => path.join(tasks, `${task}.output`))
    const event = (fields: object) => `echo '${JSON.stringify(fields)}'`
    this.script = `
      export HOME=${folder} CLAUDE_CODE_TMPDIR=${this.base}
      mkdir -p ${this.sessions} ${tasks} ${shells} ${this.base}/cc-socks
      touch ${this.base}/cc-socks/$$.sock ${this.sessions}/$$.abc.key
      echo "{\\"pid\\":$$,\\"sessionId\\":\\"${session}\\"}" > ${this.sessions}/$$.json
      snapshot=${shells}/snapshot-bash-$(date +%s%3N)-a.sh
      touch $snapshot ${shells}/snapshot-bash-1-b.sh
      ${event({ type: 'system', subtype: 'init', session_id: session })}
      ${event({ type: 'system', subtype: 'task_started', task_id: 'bg', is_backgrounded: true })}
      ${saysForeground ? event({ type: 'system', subtype: 'task_started', task_id: 'fg', is_backgrounded: false }) : ''}
      for task in fg bg; do
        setsid bash -c 'source '$snapshot' && eval "echo \\$\\$ >${rig.folder}/${name}-'$task'.pid; sleep 1000"' >${tasks}/$task.output 2>&1 &
      done
      echo $$ > ${name}-claude.pid; echo ready; wait`
  }

  /** Its number, when both tools run. */
  async pid(): Promise<number> {
    await this.tools()
    this.snapshots = ['a', 'b'].flatMap(letter =>
      fs
        .readdirSync(this.#shells)
        .filter(name => name.endsWith(`-${letter}.sh`))
        .map(name => path.join(this.#shells, name)),
    )
    return this.#rig.pid(`${this.#name}-claude`)
  }

  tools(): Promise<number[]> {
    return Promise.all(['fg', 'bg'].map(task => this.#rig.pid(`${this.#name}-${task}`)))
  }

  /** The files that it names by its number. */
  ownFiles(pid: number): string[] {
    const inSessions = [`${pid}.json`, `${pid}.abc.key`].map(name => path.join(this.sessions, name))
    return [...inSessions, `${this.base}/cc-socks/${pid}.sock`]
  }
}
