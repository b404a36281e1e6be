import fs from 'node:fs'
import path from 'node:path'
import { isRunning, type Rig, readText } from './rig.ts'
import { until } from './until.ts'

/** The signals that a process can note down. KILL and STOP it cannot: it is dead after the one, and continued after the other. */
const NOTED = ['TERM', 'HUP', 'CONT', 'INT', 'QUIT', 'USR1']

/** A command of the user's that notes every signal it gets, and goes on. */
export class Witness {
  /** Words that start it. */
  readonly command: string[]
  readonly #file: string
  readonly #rig: Rig
  readonly #name: string

  constructor(rig: Rig, name: string) {
    this.#rig = rig
    this.#name = name
    this.#file = path.join(rig.folder, `${name}.witness`)
    const note = `open(F, ">>", "${this.#file}"); print F "$_[0]\\n"; close F`
    const script = `$SIG{$_} = sub { ${note} } for qw(${NOTED.join(' ')});
      open(F, ">", "${this.#file}"); print F "$$\\n"; close F; sleep 1 while 1`
    this.command = ['perl', '-e', script]
  }

  /** For a shell. */
  get line(): string {
    return this.command.map(word => `'${word}'`).join(' ')
  }

  /** Its number, once it stands. From then on the rig knows it, and ends it when a test fails, whatever its environment. */
  async pid(): Promise<number> {
    const pid = await until('the witness stands', () => Number(this.#lines()[0]) || undefined)
    fs.writeFileSync(path.join(this.#rig.folder, `${this.#name}.pid`), String(pid))
    return this.#rig.pid(this.#name)
  }

  /** What became of it: nothing, unless somebody has touched it. */
  harm(): string[] {
    const [pid, ...signals] = this.#lines()
    return isRunning(Number(pid)) ? signals : [...signals, 'it is dead']
  }

  #lines(): string[] {
    return fs.existsSync(this.#file) ? readText(this.#file).split('\n').slice(0, -1) : []
  }
}
