/**
 * The probe: it runs inside the sandbox, takes snapshots and carries out the rig's steps. It reads tmux, /proc and files
 * by itself and shares no code with cleanup/. It speaks NDJSON over stdin and stdout, and ends when the rig closes its
 * stdin.
 */
import { constants, openSync, writeSync } from 'node:fs'
import { createBirpc } from 'birpc'
import { ndjson } from './channel.ts'
import { placesBelow } from './places.ts'
import { createProbe } from './probe.ts'

// Claude writes to /tmp, so that is where the sandbox's own folder is.
const [root = '/tmp', lifeline] = process.argv.slice(2)
const keep: string[] = JSON.parse(process.env.LEAKRIG_KEEP ?? '[]')
// An empty line is the rig's heartbeat. A container's main process reads heartbeats from the lifeline (hold.sh).
const held = lifeline && openSync(lifeline, constants.O_WRONLY | constants.O_NONBLOCK)
const passOn = (line: string) => void (held && line === '' && writeSync(held, '\n'))

const { LEAKRIG_INSTALL: install } = process.env
const places = { ...placesBelow(root), ...(install !== undefined && { install }) }

createBirpc<object, ReturnType<typeof createProbe>>(createProbe(places, keep), {
  ...ndjson(process.stdin, process.stdout, passOn),
})
process.stdin.once('end', () => process.exit())
