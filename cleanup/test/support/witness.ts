import fs from 'node:fs'
import path from 'node:path'
import { readProcess } from '../../platform/processes/table.ts'
import { isRunning, readText } from './rig.ts'
import { until } from './until.ts'

/** The signals that a process can note down. KILL and STOP it cannot: it is dead after the one, and continued after the other. */
const NOTED = ['TERM', 'HUP', 'CONT', 'INT', 'QUIT', 'USR1', 'USR2', 'ALRM', 'PIPE', 'TSTP', 'TTIN', 'TTOU']

/** Where a witness writes, and who ends it when a test fails: a rig, mostly. */
interface Court {
  folder: string
  /** Takes note of the process whose number is in `<name>.pid`. */
  pid(name: string): Promise<number>
}

/** A command of the user's that notes every signal it gets, and goes on. */
export class Witness {
  /** Words that start it. */
  readonly command: string[]
  readonly #file: string
  readonly #court: Court
  readonly name: string

  /** `comm` is the name that ps shows: that of the file that is executed. (Perl's own $0 would overwrite the environment.) */
  constructor(court: Court, name: string, comm?: string) {
    this.#court = court
    this.name = name
    this.#file = path.join(court.folder, `${name}.witness`)
    const note = `open(F, ">>", "${this.#file}"); print F "$_[0]\\n"; close F`
    const script = `$SIG{$_} = sub { ${note} } for qw(${NOTED.join(' ')});
      open(F, ">", "${this.#file}"); print F "$$\\n"; close F; sleep 1 while 1`
    const program = comm === undefined ? 'perl' : path.join(court.folder, comm)
    if (comm !== undefined) fs.symlinkSync('/usr/bin/perl', program)
    this.command = [program, '-e', script]
  }

  /** For a shell. */
  get line(): string {
    return this.command.map(word => `'${word}'`).join(' ')
  }

  /** Its number, once it stands. From then on the rig knows it, and ends it when a test fails, whatever its environment. */
  async pid(): Promise<number> {
    const pid = await until('the witness stands', () => Number(this.#lines()[0]) || undefined)
    fs.writeFileSync(path.join(this.#court.folder, `${this.name}.pid`), String(pid))
    return this.#court.pid(this.name)
  }

  /** What became of it: nothing, unless somebody has touched it. */
  harm(): string[] {
    const [pid, ...signals] = this.#lines()
    if (!isRunning(Number(pid))) return [...signals, 'it is dead']
    return readProcess(Number(pid))?.state === 'T' ? [...signals, 'it is stopped'] : signals
  }

  #lines(): string[] {
    return fs.existsSync(this.#file) ? readText(this.#file).split('\n').slice(0, -1) : []
  }
}
