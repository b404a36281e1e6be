/*
 * Loaded into a program (`node --import die-at.ts`), sends it SIGKILL right before the step whose number is in
 * LEAKRIG_DIE_AT. A step is any call that changes something outside the program: a write, a rename, a signal, a command.
 * A program with fewer steps ends normally. If LEAKRIG_STEPS names a file, every step is logged there.
 */
import child from 'node:child_process'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const fatal = Number(process.env.LEAKRIG_DIE_AT ?? 0)
const file = process.env.LEAKRIG_STEPS
const realKill = process.kill.bind(process)
const append = fs.appendFileSync.bind(fs)
let steps = 0
let inside = false

type AnyFunction = (...args: unknown[]) => unknown

/** Counts calls of these functions as steps. Calls that one of them makes itself do not count again. */
function count(target: object, names: string[], isStep: (...args: unknown[]) => boolean = () => true): void {
  for (const name of names) {
    const real = Reflect.get(target, name) as AnyFunction
    Reflect.set(target, name, function (this: unknown, ...args: unknown[]) {
      if (inside || !isStep(...args)) return real.apply(this, args)
      inside = true
      try {
        steps += 1
        if (file) append(file, `${steps} ${name} ${String(args[0]).slice(-60)}\n`)
        if (steps === fatal) realKill(process.pid, 'SIGKILL')
        return real.apply(this, args)
      } finally {
        inside = false
      }
    })
  }
}

count(fs, [
  'writeFileSync',
  'writeSync',
  'fdatasyncSync',
  'fsyncSync',
  'renameSync',
  'linkSync',
  'unlinkSync',
])
count(fs, ['fchmodSync', 'futimesSync', 'rmSync'])
count(fs, ['mkdirSync'], folder => !fs.existsSync(String(folder)))
count(fs, ['openSync'], (_, flags) => (Number(flags) & fs.constants.O_CREAT) !== 0)
count(process, ['kill'], (_, signal) => signal !== 0)
count(child, ['execFile', 'spawn'])
syncBuiltinESMExports()
