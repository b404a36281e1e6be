import fs from 'node:fs'
import path from 'node:path'
import { readProcess } from '../../platform/processes/table.ts'
import { quote } from '../../platform/shell.ts'
import { isRunning, readText } from './rig.ts'
import { until } from './until.ts'

/** The signals that a process can handle and record. KILL and STOP cannot be handled: `harm` shows their effects. */
const RECORDED_SIGNALS = [
  'TERM',
  'HUP',
  'CONT',
  'INT',
  'QUIT',
  'USR1',
  'USR2',
  'ALRM',
  'PIPE',
  'TSTP',
  'TTIN',
  'TTOU',
]

/** Where a witness writes, and what ends it when a test fails: usually a rig. */
interface Host {
  folder: string
  /** Takes responsibility for the process whose pid is in `<name>.pid`. */
  pid(name: string): Promise<number>
}

/** A bystander process that records every signal it gets and keeps running: it shows whether leakrig touched it. */
export class Witness {
  /** The command line that starts it. */
  readonly command: string[]
  readonly #file: string
  readonly #host: Host
  readonly name: string

  /** `comm` is the process name in ps, which the kernel takes from the executed file. (To assign Perl's $0 would overwrite the environment.) */
  constructor(host: Host, name: string, comm?: string) {
    this.#host = host
    this.name = name
    this.#file = path.join(host.folder, `${name}.witness`)
    const record = `open(F, ">>", "${this.#file}"); print F "$_[0]\\n"; close F`
    const script = `$SIG{$_} = sub { ${record} } for qw(${RECORDED_SIGNALS.join(' ')});
      open(F, ">", "${this.#file}"); print F "$$\\n"; close F; sleep 1 while 1`
    const program = comm === undefined ? 'perl' : path.join(host.folder, comm)
    if (comm !== undefined) fs.symlinkSync('/usr/bin/perl', program)
    this.command = [program, '-e', script]
  }

  /** The command line, quoted for a shell. */
  get shellCommand(): string {
    return this.command.map(quote).join(' ')
  }

  /** Waits until it handles signals, and returns its pid. From then on the rig ends it when a test fails, even with another environment. */
  async pid(): Promise<number> {
    const pid = await until('the witness handles signals', () => Number(this.#lines()[0]) || undefined)
    fs.writeFileSync(path.join(this.#host.folder, `${this.name}.pid`), String(pid))
    return this.#host.pid(this.name)
  }

  /** The signals that it got, and whether it is dead or stopped; empty if it was left alone. */
  harm(): string[] {
    const [pid, ...signals] = this.#lines()
    if (!isRunning(Number(pid))) return [...signals, 'it is dead']
    return readProcess(Number(pid))?.state === 'T' ? [...signals, 'it is stopped'] : signals
  }

  #lines(): string[] {
    return fs.existsSync(this.#file) ? readText(this.#file).split('\n').slice(0, -1) : []
  }
}
