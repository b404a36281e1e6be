import fs from 'node:fs'
import path from 'node:path'
import { WATCH_AGAIN_MS, whyNotWatched } from '../platform/limits.ts'
import { backend } from '../platform/processes/backend.ts'
import { readProcess } from '../platform/processes/table.ts'

/** Where the kernel shows the terminals that programs such as tmux have opened, a file for each. */
const TERMINALS = '/dev/pts'
/** The kernel's device number for them (Documentation/admin-guide/devices.txt). */
const MAJOR = 136

/**
 * Reports terminals that come and go. tmux closes a pane's terminal when the pane, its session or the server ends. The
 * kernel then removes the terminal's file and reports that (fsnotify for devpts, Linux 5.3), even while the pane's
 * process lives on. It costs nothing while nothing happens. On an older kernel the slower checks find the same ends. While
 * the folder cannot be watched, each call lists it instead.
 */
export class TerminalWatch implements Disposable {
  readonly #onChange: () => void
  readonly #changed = new Set<string>()
  #watcher: fs.FSWatcher | undefined
  #triedAt = Number.NEGATIVE_INFINITY
  #problem: string | undefined
  /** While the folder is not watched: when each terminal was created or last given to somebody, by its name. */
  #listed: ReadonlyMap<string, number> | undefined

  constructor(onChange: () => void) {
    this.#onChange = onChange
    this.#watch()
  }

  /** Why terminals cannot be watched, in a sentence; undefined while they are. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** The terminals that came or went since the last call, by the names of their files. */
  take(): ReadonlySet<string> {
    if (!this.#watcher) {
      this.#compare()
      if (performance.now() - this.#triedAt >= WATCH_AGAIN_MS) this.#watch()
    }
    const changed = new Set(this.#changed)
    this.#changed.clear()
    return changed
  }

  [Symbol.dispose](): void {
    this.#watcher?.close()
  }

  #watch(): void {
    this.#triedAt = performance.now()
    try {
      const watcher = fs.watch(TERMINALS, { persistent: false }, (_, name) => {
        if (name === null) return
        this.#changed.add(name)
        this.#onChange()
      })
      watcher.on('error', error => this.#failed(error))
      this.#watcher = watcher
      this.#compare()
      this.#listed = undefined
      this.#problem = undefined
    } catch (error) {
      this.#failed(error)
    }
  }

  #failed(error: unknown): void {
    this.#watcher?.close()
    this.#watcher = undefined
    this.#listed ??= listTerminals()
    // Without /proc there may be no such folder, and the checks there start a program.
    if (backend === 'proc')
      this.#problem = `${TERMINALS} cannot be watched, so ends are found by checks four times a second: ${whyNotWatched(error)}.`
  }

  #compare(): void {
    const before = this.#listed
    if (!before) return
    this.#listed = listTerminals()
    for (const name of [...before.keys(), ...this.#listed.keys()])
      if (before.get(name) !== this.#listed.get(name)) this.#changed.add(name)
  }
}

function listTerminals(): ReadonlyMap<string, number> {
  try {
    const stat = (name: string) => fs.statSync(path.join(TERMINALS, name), { throwIfNoEntry: false })
    return new Map(fs.readdirSync(TERMINALS).map(name => [name, stat(name)?.ctimeMs ?? 0]))
  } catch {
    return new Map()
  }
}

/** The file name of a process's controlling terminal below /dev/pts; undefined when it has no terminal there. */
export function terminalOf(pid: number): string | undefined {
  // The kernel packs both numbers into one: 12 bits of the major, and around them the 20 bits of the minor.
  const device = readProcess(pid)?.tty ?? 0
  const [major, minor] = [(device >> 8) & 0xfff, (device & 0xff) | ((device >> 12) & 0xfff00)]
  return major === MAJOR ? String(minor) : undefined
}
