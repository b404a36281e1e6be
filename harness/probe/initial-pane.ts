import type { ProcessResource } from '../snapshot/snapshot.ts'
import { readEnvironment } from './processes.ts'

/**
 * The pane in which a process was started, as `<server pid>:<pane id>`, by its first environment. Read once for a
 * program: a process that becomes another one by exec(2) has another name or other arguments then.
 */
export class InitialPanes {
  #known = new Map<string, string>()
  #asked = new Map<string, string>()

  of(process: ProcessResource): string {
    const program = `${process.id} ${process.comm} ${process.command}`
    const pane = this.#known.get(program) ?? readPane(process.pid)
    // One that is just ending shows no environment: to read nothing proves nothing.
    if (pane !== undefined) this.#asked.set(program, pane)
    return pane ?? ''
  }

  /** Forgets every program that was not asked for since the last time. */
  forgetOthers(): void {
    this.#known = this.#asked
    this.#asked = new Map()
  }
}

function readPane(pid: number): string | undefined {
  const environment = readEnvironment(pid)
  if (environment.size === 0) return undefined
  return `${environment.get('TMUX')?.split(',')[1]}:${environment.get('TMUX_PANE')}`
}
