import fs from 'node:fs'
import { readProcess } from '../platform/processes/table.ts'

/** Where the kernel shows the terminals that programs such as tmux have opened, a file for each. */
const TERMINALS = '/dev/pts'
/** The kernel's device number for them (Documentation/admin-guide/devices.txt). */
const MAJOR = 136

/**
 * Reports terminals that come and go. tmux closes a pane's terminal when the pane, its session or the server ends. The
 * kernel then removes the terminal's file and reports that (fsnotify for devpts, Linux 5.3), even while the pane's
 * process lives on. It costs nothing while nothing happens. On an older kernel the slower checks find the same ends.
 */
export class TerminalWatch implements Disposable {
  readonly #watcher: fs.FSWatcher | undefined
  readonly #changed = new Set<string>()

  constructor(onChange: () => void) {
    try {
      this.#watcher = fs.watch(TERMINALS, { persistent: false }, (_, name) => {
        if (name === null) return
        this.#changed.add(name)
        onChange()
      })
      this.#watcher.on('error', () => this.#watcher?.close())
    } catch {
      // There is no such folder, or no inotify watch is left.
    }
  }

  /** The terminals that came or went since the last call, by the names of their files. */
  take(): ReadonlySet<string> {
    const changed = new Set(this.#changed)
    this.#changed.clear()
    return changed
  }

  [Symbol.dispose](): void {
    this.#watcher?.close()
  }
}

/** The file name of a process's controlling terminal below /dev/pts; undefined when it has no terminal there. */
export function terminalOf(pid: number): string | undefined {
  // The kernel packs both numbers into one: 12 bits of the major, and around them the 20 bits of the minor.
  const device = readProcess(pid)?.tty ?? 0
  const [major, minor] = [(device >> 8) & 0xfff, (device & 0xff) | ((device >> 12) & 0xfff00)]
  return major === MAJOR ? String(minor) : undefined
}
