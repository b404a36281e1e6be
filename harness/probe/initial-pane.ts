import type { ProcessResource } from '../snapshot/snapshot.ts'
import { readEnvironment } from './processes.ts'

/**
 * The pane in which a process was started, as `<server pid>:<pane id>`, by its initial environment. That is read once
 * for each program: after an exec(2) the name or the arguments differ, and /proc shows another environment.
 */
export class InitialPanes {
  #panes = new Map<string, string>()
  #used = new Map<string, string>()

  of(process: ProcessResource): string {
    const program = `${process.id} ${process.comm} ${process.command}`
    const pane = this.#panes.get(program) ?? readPane(process.pid)
    // A process that is just ending shows no environment, which must not be remembered.
    if (pane !== undefined) this.#used.set(program, pane)
    return pane ?? ''
  }

  /** Forgets every program that was not looked up since the last call. */
  forgetOthers(): void {
    this.#panes = this.#used
    this.#used = new Map()
  }
}

function readPane(pid: number): string | undefined {
  const environment = readEnvironment(pid)
  if (environment.size === 0) return undefined
  return `${environment.get('TMUX')?.split(',')[1]}:${environment.get('TMUX_PANE')}`
}
