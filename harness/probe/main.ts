/**
 * The rig's hand inside the sandbox: takes snapshots and carries out the steps. It reads tmux, /proc and
 * files by itself and shares no code with cleanup/. It speaks NDJSON over stdin and stdout, and ends
 * when the rig closes its stdin.
 */
import { createBirpc } from 'birpc'
import { ndjson } from './channel.ts'
import { placesBelow } from './places.ts'
import { createProbe } from './probe.ts'

// Claude writes to /tmp, so that is where the sandbox's own folder is.
const root = process.argv[2] ?? '/tmp'
const keep = (process.env.LEAKRIG_KEEP ?? '').split(':').filter(Boolean)

createBirpc<object, ReturnType<typeof createProbe>>(createProbe(placesBelow(root), keep), {
  ...ndjson(process.stdin, process.stdout),
})
process.stdin.once('end', () => process.exit())
