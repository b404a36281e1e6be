import fs from 'node:fs'
import path from 'node:path'
import type { Rig } from './rig.ts'

/**
 * A bash script in claude's place, for tests that kill it. It has its own home, logs its session id, and starts two Bash
 * tools, each with setsid, one of them in the background.
 */
export class ClaudeWithTools {
  /** The bash script to deploy. */
  readonly script: string
  readonly sessions: string
  /** Its HOME and its CLAUDE_CODE_TMPDIR. */
  readonly home: string
  readonly base: string
  /** Shell snapshots, known once it runs. The tools' command lines name the first; the second is older and unused. */
  snapshots: string[] = []
  /** The output files of the foreground tool and of the background tool. */
  readonly outputs: string[]
  readonly #rig: Rig
  readonly #shells: string
  readonly #name: string

  constructor(rig: Rig, name: string, logsForeground = true) {
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
      ${logsForeground ? event({ type: 'system', subtype: 'task_started', task_id: 'fg', is_backgrounded: false }) : ''}
      for task in fg bg; do
        setsid bash -c 'source '$snapshot' && eval "echo \\$\\$ >${rig.folder}/${name}-'$task'.pid; sleep 1000"' >${tasks}/$task.output 2>&1 &
      done
      echo $$ > ${name}-claude.pid; echo ready; wait`
  }

  /** Its pid. Waits until both tools run. */
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

  /** The pids of both tools. */
  tools(): Promise<number[]> {
    return Promise.all(['fg', 'bg'].map(task => this.#rig.pid(`${this.#name}-${task}`)))
  }

  /** The files whose names contain its pid. */
  ownFiles(pid: number): string[] {
    const inSessions = [`${pid}.json`, `${pid}.abc.key`].map(name => path.join(this.sessions, name))
    return [...inSessions, `${this.base}/cc-socks/${pid}.sock`]
  }
}
