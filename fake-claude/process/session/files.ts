import { randomBytes } from 'node:crypto'
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import type { Places } from './places.ts'

interface Session {
  sessionId: string
  cwd: string
  version: string
}

/** The files of a running session. Those in `removedOnExit` are gone after a clean exit, and stay after SIGKILL. */
export interface SessionFiles {
  snapshot: string
  removedOnExit: Set<string>
  remove(): void
}

export function makeFiles(places: Places, session: Session): SessionFiles {
  const { pid } = process
  const record = join(places.claude, 'sessions', `${pid}.json`)
  const key = join(places.claude, 'sessions', `${pid}.${randomBytes(8).toString('hex')}.key`)
  const nonce = randomBytes(3).toString('hex')
  const snapshot = join(places.claude, 'shell-snapshots', `snapshot-bash-${Date.now()}-${nonce}.sh`)

  for (const folder of [places.project, places.tasks, join(places.claude, 'session-env', session.sessionId)])
    mkdirSync(folder, { recursive: true })
  write(join(places.temporary, 'started'), `${new Date().toISOString()}\n`)
  write(record, JSON.stringify({ pid, ...session, startedAt: Date.now(), kind: 'sdk-cli' }))
  write(key, randomBytes(32).toString('hex'), 0o600)
  write(snapshot, '# The shell as it was when the session began.\nshopt -s expand_aliases\n')
  rememberStart(places)
  listen(places.socket)

  const removedOnExit = new Set([record, key, snapshot, places.socket])
  return {
    snapshot,
    removedOnExit,
    remove: () => {
      for (const file of removedOnExit) rmSync(file, { force: true })
    },
  }
}

function write(path: string, text: string, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text, { mode })
}

// Many sessions share this file. It is replaced atomically, and its previous content stays as a backup.
function rememberStart(places: Places): void {
  const file = join(places.home, '.claude.json')
  const draft = `${file}.${process.pid}.tmp`
  let before: { numStartups?: number } = {}
  try {
    before = JSON.parse(readFileSync(file, 'utf8'))
    copyFileSync(file, `${file}.backup`)
  } catch {
    // It does not exist before the first start in this home.
  }
  writeFileSync(draft, JSON.stringify({ ...before, numStartups: (before.numStartups ?? 0) + 1 }, null, 2))
  renameSync(draft, file)
}

// The real claude listens here for other sessions. Nobody calls the fake one, but like the real one it leaves the socket
// file behind when it is killed.
function listen(path: string): void {
  mkdirSync(dirname(path), { recursive: true })
  rmSync(path, { force: true })
  createServer(peer => peer.destroy())
    // The path may be longer than the address of a socket (108 bytes).
    .on('error', () => {})
    .listen(path)
    .unref()
}
