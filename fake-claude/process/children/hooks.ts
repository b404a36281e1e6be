import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Note } from '../session/journal.ts'
import { isAlive, signalIfThere } from './process-tree.ts'

type HookEvent = 'SessionStart' | 'UserPromptSubmit' | 'PreToolUse' | 'Stop' | 'SessionEnd'

interface HookSettings {
  hooks?: Partial<Record<HookEvent, { hooks?: { type?: string; command?: string }[] }[]>>
}

/**
 * The hooks of the user's settings, of the project's, and of `--settings`, as commands. Each is a child of claude in a session
 * of its own without a terminal. Matchers are not imitated: a hook of an event always runs.
 */
export class Hooks {
  readonly running = new Set<ChildProcess>()
  readonly #settings: HookSettings[]
  readonly #environment: NodeJS.ProcessEnv
  readonly #note: Note

  constructor(files: string[], given: string | undefined, environment: NodeJS.ProcessEnv, note: Note) {
    this.#settings = [...files, ...(given === undefined ? [] : [given])].map(readSettings)
    this.#environment = environment
    this.#note = note
  }

  /** True when settings name a hook: claude then keeps its own process until the end. */
  get areThere(): boolean {
    return this.#settings.some(({ hooks }) => Object.values(hooks ?? {}).some(list => list.length > 0))
  }

  /** Runs the hooks of an event, and resolves when all have ended. */
  async run(event: HookEvent): Promise<void> {
    await Promise.all(this.start(event).map(child => new Promise(ended => child.once('exit', ended))))
  }

  start(event: HookEvent): ChildProcess[] {
    const groups = this.#settings.flatMap(({ hooks }) => hooks?.[event] ?? [])
    const commands = groups.flatMap(group => (group.hooks ?? []).flatMap(({ command }) => command ?? []))
    return commands.map(command => {
      const child = spawn('/bin/sh', ['-c', command], {
        detached: true,
        stdio: ['pipe', 'pipe', 'ignore'],
        env: this.#environment,
      })
      this.#note('child', { role: 'hook', event, pid: child.pid })
      child.stdin?.on('error', () => {})
      child.stdin?.end(`${JSON.stringify({ hook_event_name: event })}\n`)
      child.stdout?.resume()
      this.running.add(child)
      child.once('exit', () => this.running.delete(child))
      return child
    })
  }

  /** Sends TERM to the hooks that run, each to its shell only. Returns whether there was one. */
  terminate(): boolean {
    for (const { pid } of this.running) if (pid !== undefined) signalIfThere(pid, 'SIGTERM')
    return this.running.size > 0
  }

  /** Starts the hooks of the session's end, and ends them after a while. Returns whether one had to be ended. */
  async endSession(withinMs: number): Promise<boolean> {
    const started = this.start('SessionEnd')
    const deadline = performance.now() + withinMs
    while (started.some(({ pid }) => isAlive(pid ?? 0)) && performance.now() < deadline) await sleep(20)
    const hung = started.filter(({ pid }) => isAlive(pid ?? 0))
    for (const { pid } of hung) if (pid !== undefined) signalIfThere(pid, 'SIGTERM')
    return hung.length > 0
  }
}

/** The settings files of a claude that works in `cwd`: the user's, and the project's up to the top of its repository. */
export function settingsFiles(userFolder: string, cwd: string): string[] {
  const folders = [cwd]
  let at = cwd
  while (!existsSync(join(at, '.git')) && dirname(at) !== at) {
    at = dirname(at)
    folders.push(at)
  }
  const project = existsSync(join(at, '.git')) ? folders : [cwd]
  const names = ['settings.json', 'settings.local.json']
  return [
    join(userFolder, 'settings.json'),
    ...project.flatMap(folder => names.map(name => join(folder, '.claude', name))),
  ]
}

/** A file or a JSON text. What cannot be read has no hooks. */
function readSettings(fileOrJson: string): HookSettings {
  try {
    return JSON.parse(fileOrJson.trimStart().startsWith('{') ? fileOrJson : readFileSync(fileOrJson, 'utf8'))
  } catch {
    return {}
  }
}
