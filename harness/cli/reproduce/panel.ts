import { createLogUpdate } from 'log-update'
import { print } from '../../terminal.ts'

const { stdout } = process

/** Whether lines can be drawn again where they are. */
export const isRedrawn = stdout.isTTY && process.env.TERM !== 'dumb'

const drawn = createLogUpdate(stdout)
let last = ''
let isClosed = false

/** Lines at the end of the output that are drawn again. A terminal that cannot do that shows them when they have changed. */
export const panel = {
  show(lines: string[]): void {
    const text = lines.join('\n')
    if (isClosed) return
    if (isRedrawn) drawn(text)
    else if (text !== last) print(text)
    last = text
  },
  clear(): void {
    if (isRedrawn) drawn.clear()
    last = ''
  },
  /** For good. */
  close(): void {
    isClosed = true
    if (isRedrawn) drawn.done()
  },
}

/** How wide a line may be. */
export const columns = (): number => (stdout.columns || 80) - 1
