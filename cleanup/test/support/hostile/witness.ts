import { type ChildProcess, spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import type { Identity } from '../../../processes/identity.ts'
import { isAlive, readProcess, startOf } from '../../../processes/table.ts'
import { until } from '../until.ts'

/** Writes down every signal that it gets, and goes on. KILL and STOP cannot be caught: those show in /proc. */
const SCRIPT = `my ($name, $file) = @ARGV; $0 = $name;
$SIG{$_} = sub { open my $to, '>>', $file; print $to "$_[0]\\n" } for qw(HUP INT QUIT TERM CONT USR1 USR2 TSTP TTIN TTOU PIPE ALRM);
open my $to, '>', "$file.pid"; print $to $$; close $to;
sleep 1 while 1`

/** The command of a process that witnesses whatever is done to it; `name` is what ps shows. */
const witnessWords = (file: string, name = 'sleep'): string[] => ['perl', '-e', SCRIPT, name, file]

/** An innocent process: nothing may end it, stop it or send it anything. */
export class Witness {
  readonly name: string
  readonly identity: Identity
  readonly #file: string

  private constructor(name: string, file: string, identity: Identity) {
    this.name = name
    this.#file = file
    this.identity = identity
  }

  /** Waits for the process that `start` starts with the words of its command. */
  static async of(
    folder: string,
    name: string,
    start: (words: string[]) => unknown,
    comm?: string,
  ): Promise<Witness> {
    const file = path.join(folder, `${name}.signals`)
    start(witnessWords(file, comm))
    const pid = await until(`${name} runs`, () => Number(readText(`${file}.pid`)) || undefined)
    return new Witness(name, file, { pid, start: startOf(pid) ?? -1 })
  }

  /** What was done to it, in words; empty when nothing was. */
  complaints(): string[] {
    const { pid } = this.identity
    if (!isAlive(this.identity)) return [`${this.name} (${pid}) was ended`]
    const signals = readText(this.#file).split('\n').filter(Boolean)
    const stopped = readProcess(pid)?.state === 'T' ? ['STOP'] : []
    return [...signals, ...stopped].map(signal => `${this.name} (${pid}) got ${signal}`)
  }

  end(): void {
    if (isAlive(this.identity)) process.kill(this.identity.pid, 'SIGKILL')
  }
}

/** A child of the test's own, by default in a session of its own. */
export function startWords(
  [command = '', ...args]: string[],
  options: { env?: NodeJS.ProcessEnv; uid?: number } = {},
): ChildProcess {
  const { env = {}, uid } = options
  return spawn(command, args, {
    stdio: 'ignore',
    detached: true,
    env: { ...process.env, ...env },
    ...(uid !== undefined && { uid, gid: uid }),
  })
}

function readText(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
