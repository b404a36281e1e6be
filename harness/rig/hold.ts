import { programFile } from '../../bin/programs.ts'
import type { TerminalSize } from '../probe/terminals.ts'
import type { Command, Moment, Picture, ReproductionApi } from '../reproduction/api.ts'
import { serve } from '../reproduction/serve.ts'
import type { Sandbox, SandboxTraces } from '../sandbox/sandbox.ts'
import type { Resource } from '../snapshot/snapshot.ts'
import { count } from '../timeline/counts.ts'
import type { Finding } from '../verdict/verdict.ts'
import type { Rig } from './rig.ts'
import { settings } from './settings.ts'

/**
 * Serves a scenario to whoever wants to look at it, from its beginning on, and keeps its sandbox until somebody ends it.
 * The process ends with the command that has started it, and the sandbox with the process.
 */
export class Hold implements ReproductionApi, AsyncDisposable {
  readonly #rig: Rig
  readonly #sandbox: Sandbox
  readonly #released = Promise.withResolvers<void>()
  #server: AsyncDisposable | undefined
  #isHeld = false
  #failure: string | undefined
  #leftAtEnd = new Set<string>()

  private constructor(rig: Rig, sandbox: Sandbox) {
    this.#rig = rig
    this.#sandbox = sandbox
  }

  /** Undefined where nobody has asked for it. */
  static async begin(rig: Rig, sandbox: Sandbox): Promise<Hold | undefined> {
    const { hold } = settings()
    if (!hold) return undefined
    const one = new Hold(rig, sandbox)
    // Also with SIGKILL for the command: the channel to it closes. It may have been closed while the sandbox started.
    if (process.send && !process.connected) process.exit(1)
    process.once('disconnect', () => process.exit(1))
    await one.#putPrograms()
    one.#server = await serve(hold.socket, one.#api)
    return one
  }

  /** Waits until somebody ends it. @param failure why the scenario has no verdict */
  async untilReleased(failure: string | undefined): Promise<void> {
    this.#failure = failure
    // What could not be measured has no difference.
    const left = await this.#rig.difference().catch(() => undefined)
    this.#leftAtEnd = new Set(left?.leaks.map(({ id }) => id))
    this.#isHeld = true
    await this.#released.promise
  }

  get #api(): ReproductionApi {
    const looking = ['about', 'moment', 'picture', 'traces', 'end'] as const
    const names = [...looking, 'open', 'read', 'write', 'resize', 'close'] as const
    // Methods of a class are not enumerable.
    return Object.fromEntries(names.map(name => [name, this[name].bind(this)])) as unknown as ReproductionApi
  }

  async about() {
    const { name = '', pid = 0, folder = '' } = settings().hold ?? {}
    return {
      name,
      pid,
      folder,
      worker: process.pid,
      system: this.#rig.definition.name,
      sandbox: this.#sandbox.kind,
    }
  }

  async moment(): Promise<Moment> {
    // While the scenario runs, its own snapshots are enough.
    const difference = this.#isHeld ? await this.#difference() : undefined
    const [left, kept] = [difference?.leaks.length, difference?.kept ?? 0]
    const { timeline, deployedCount: agents } = this.#rig
    const phase = this.#isHeld ? 'held' : 'building'
    const canAttach = sessions(this.#rig.lastSnapshot?.resources ?? []).length > 0
    return { ...timeline.progress, stepMs: timeline.stepMs, phase, agents, left, kept, canAttach }
  }

  async picture(): Promise<Picture> {
    const { leaks, collateral, notes, kept } = await this.#difference()
    const [baseline, now] = [await this.#rig.baseline(), this.#rig.lastSnapshot]
    const resources = now?.resources ?? []
    const counts = {
      baseline: count(baseline.resources),
      peak: this.#rig.timeline.peak,
      settled: count(resources),
    }
    const failure = this.#failure
    return {
      leaks,
      collateral,
      notes,
      kept,
      counts,
      failure,
      agents: byLeaks(leaks),
      sessions: sessions(resources),
    }
  }

  /** The lock files of a cleanup that the user ran stay, as they would in every workspace. */
  async #difference() {
    const difference = await this.#rig.difference()
    const isNewLock = ({ kind, what, id }: Finding) =>
      kind === 'file' && what.startsWith('lock ') && !this.#leftAtEnd.has(id)
    const locks = difference.leaks.filter(isNewLock).map(({ what }) => `${what}: a cleanup keeps its locks`)
    const leaks = difference.leaks.filter(one => !isNewLock(one))
    const kept = difference.kept.reduce((sum, { count }) => sum + count, locks.length)
    return { ...difference, leaks, kept, notes: [...difference.notes, ...locks] }
  }

  async open({ command, terminal }: Command): Promise<number> {
    const { places, probe } = this.#rig
    const { stdout: path } = await probe.run(['printenv', 'PATH'])
    return probe.openTerminal({
      command: command ?? ['bash', '--rcfile', this.#rcFile, '-i'],
      cwd: places.work,
      // A file of the user's history would count as left.
      env: { PATH: `${this.#bin}:${path.trim()}`, HISTFILE: '' },
      ...(terminal && { terminal }),
    })
  }

  read(id: number) {
    return this.#rig.probe.readTerminal(id)
  }

  write(id: number, base64: string) {
    return this.#rig.probe.writeTerminal(id, base64)
  }

  resize(id: number, size: TerminalSize) {
    return this.#rig.probe.resizeTerminal(id, size)
  }

  close(id: number) {
    return this.#rig.probe.closeTerminal(id)
  }

  async traces(): Promise<SandboxTraces> {
    return this.#sandbox.traces()
  }

  /** A scenario that is not over fails without its sandbox: nobody waits until it has settled. */
  async end(): Promise<void> {
    this.#released.resolve()
    if (!this.#isHeld) await this.#sandbox[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]()
  }

  get #bin(): string {
    return `${this.#rig.places.own}/bin`
  }

  get #rcFile(): string {
    return `${this.#rig.places.own}/bashrc`
  }

  /** `leakrig` in the sandbox, with the commands of the cleanup, and the shell's prompt. */
  async #putPrograms(): Promise<void> {
    const { probe, places } = this.#rig
    const program = [places.node, programFile('cleanup-commands')].map(quoted).join(' ')
    const file = `${this.#bin}/leakrig`
    await probe.write(file, `#!/bin/sh\nLEAKRIG_COMMAND=leakrig exec ${program} "$@"\n`)
    await probe.run(['chmod', '755', file])
    const { name } = await this.about()
    // Only a file of its own gives it: the shell of script(1) removes it from the environment.
    await probe.write(this.#rcFile, `PS1=${quoted(`(${name}) \\w \\$ `)}\n`)
  }
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

function byLeaks(leaks: readonly Finding[]): string[] {
  const owned = leaks.filter(({ owner }) => owner)
  const groups = [...Map.groupBy(owned, ({ owner }) => owner?.agent ?? '')]
  return groups.toSorted(([, one], [, other]) => other.length - one.length).map(([agent]) => agent)
}

/** By tmux's own id: a name may be a pattern. */
function sessions(resources: readonly Resource[]): Picture['sessions'] {
  return resources.flatMap(one =>
    one.kind === 'session' && one.owner
      ? { name: one.name, command: ['tmux', '-S', one.socket, 'attach-session', '-t', one.session] }
      : [],
  )
}
