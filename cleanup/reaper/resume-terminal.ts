import { spawn } from 'node:child_process'
import fs from 'node:fs'
import { attempt } from '../errors.ts'
import type { Process } from '../platform/processes/stat.ts'

const { O_RDONLY, O_NONBLOCK, O_NOCTTY } = fs.constants
const STDOUT = 1
/** How long stty may take, in ms. */
const LONGEST_MS = 1_000

/**
 * Lets a process go on that writes to the terminal of its pane, where somebody has pressed Ctrl-S: the kernel continues a
 * stopped terminal when its flow control is switched off (n_tty_set_termios). A key would not do, because a pane in copy
 * mode passes none on. Only one of `terminals`, which are those of the agent's panes, is changed; they end with the agent.
 */
export function resumeTerminal({ pid, tty }: Process, terminals: ReadonlySet<number>): void {
  const at = `/proc/${pid}/fd/${STDOUT}`
  attempt(
    () => {
      const isOwn = (stat: fs.Stats) => stat.isCharacterDevice() && stat.rdev === tty && terminals.has(tty)
      // Asked first: to open another device can have an effect.
      if (!isOwn(fs.statSync(at))) return
      const terminal = fs.openSync(at, O_RDONLY | O_NONBLOCK | O_NOCTTY)
      try {
        if (!isOwn(fs.fstatSync(terminal))) return
        // Not after the output: the kernel would wait for that in a loop that no signal ends (set_termios in 6.18).
        const stty = spawn('stty', ['-drain', '-ixon'], {
          cwd: '/',
          stdio: [terminal, 'ignore', 'ignore'],
          timeout: LONGEST_MS,
        })
        stty.on('error', () => {})
      } finally {
        fs.closeSync(terminal)
      }
    },
    // It has ended, or its terminal has. What it cannot write is saved or named.
    () => {},
  )
}
