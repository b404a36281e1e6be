import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { testProgram } from '../../../bin/programs.ts'
import type { AgentRef } from '../../index.ts'
import {
  type AgentEntry,
  addAgent,
  agentMarker,
  layout,
  RECORD_FORMAT,
  recordOf,
} from '../../orchestrator.ts'
import { childrenOf } from '../../platform/processes/children.ts'
import type { World } from '../../registry/world.ts'
import { type Deployment, kill, type Rig, readText } from './rig.ts'
import type { CommandResult } from './run-command.ts'
import { until } from './until.ts'

/** Waits for children, its own and adopted ones, as process 1 must. */
const INIT = 'while :; do sleep 1000 & wait $!; done'

/** A pid namespace with its own /proc, its own network and folder of tmux sockets, and the rig's files, like a container that shares the workspace. */
export class PidNamespace implements Disposable {
  readonly #rig: Rig
  /** Its process 1, and the unshare that started it and takes it along. */
  readonly #init: number
  readonly #unshare: number

  private constructor(rig: Rig, unshare: number, init: number) {
    this.#rig = rig
    this.#unshare = unshare
    this.#init = init
  }

  static async start(rig: Rig): Promise<PidNamespace> {
    const script = `mount -t tmpfs -o mode=700 tmpfs ${path.dirname(rig.socket)} && ${INIT}`
    const words = ['--pid', '--net', '--fork', '--mount-proc', '--kill-child', 'sh', '-c', script]
    const unshare = rig.start('unshare', words, { TMUX: undefined, TMUX_PANE: undefined })
    const init = await until('process 1 waits', () => {
      const [child = 0] = childrenOf(unshare) ?? []
      const runs = (childrenOf(child) ?? []).map(pid => readText(`/proc/${pid}/comm`))
      return runs.includes('sleep\n') && child
    })
    return new PidNamespace(rig, unshare, init)
  }

  /** Words before a command, with which it runs in the namespace. */
  get enter(): string[] {
    return ['nsenter', '-t', String(this.#init), '-p', '-n', '-m', '--']
  }

  /** Runs a command there to its end. */
  run(...command: string[]): CommandResult {
    const [program = '', ...args] = [...this.enter, ...command]
    const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
    return { code: status, out: stdout, err: stderr.trim() }
  }

  /** Runs `leakrig` there. */
  leakrig(...args: string[]): CommandResult {
    return this.run(process.execPath, testProgram('leakrig'), ...args)
  }

  /** What an orchestrator there records as its world. */
  get world(): World {
    const print = `import { thisWorld } from ${JSON.stringify(path.resolve(import.meta.dirname, '../../orchestrator.ts'))}
      console.log(JSON.stringify(thisWorld()))`
    const { out, err } = this.run(process.execPath, '--input-type=module', '-e', print)
    if (out === '') throw new Error(err)
    return JSON.parse(out)
  }

  /** Deploys an agent on a tmux server of the namespace, as an orchestrator there would, and waits until it is ready. */
  async deploy(agentId: string, deployment: Deployment & { world?: boolean }): Promise<AgentRef> {
    const rig = this.#rig
    const ref = rig.ref(agentId)
    rig.writeFiles(ref)
    const started_at = new Date().toISOString()
    const { out, err } = this.run(
      ...['tmux', '-f', '/dev/null', '-S', rig.socket, 'new-session', '-d', '-P'],
      ...['-F', RECORD_FORMAT, '-s', layout.sessionName(ref), '-e', `LEAKRIG_AGENT=${agentMarker(ref)}`],
      ...['--', 'bash', '-c', rig.pipeline(ref, deployment)],
    )
    if (out === '') throw new Error(err)
    // The numbers are those of the namespace, so the start times are read there.
    const tmux = recordOf(out)
    const [server_start, pane_start] = [tmux.server_pid, tmux.pane_pid].map(pid =>
      Number(this.run('cat', `/proc/${pid}/stat`).out.split(') ').at(-1)?.split(' ')[19]),
    )
    const entry: Partial<AgentEntry> = {
      ...(deployment.recorded !== false && { tmux: { ...tmux, server_start, pane_start } as never }),
      ...(deployment.world !== false && { deployed_on: this.world }),
    }
    const tmux_session = layout.sessionName(ref)
    await addAgent(ref, { status: 'running', tmux_session, started_at, ...entry, ...deployment.entry })
    await until(`${agentId} is ready`, () => readText(layout.streamLog(ref)).includes('ready'))
    return ref
  }

  /** Ends everything in it, and waits until it is gone. */
  async remove(): Promise<void> {
    const init = this.#init
    this[Symbol.dispose]()
    await until('the namespace is gone', () => readText(`/proc/${init}/stat`) === '')
  }

  [Symbol.dispose](): void {
    kill(this.#unshare)
  }
}
