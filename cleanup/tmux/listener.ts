import fs from 'node:fs'
import path from 'node:path'
import { backend } from '../platform/processes/backend.ts'
import { sharesPids } from '../platform/processes/namespaces.ts'
import { isOurs } from '../platform/processes/owner.ts'
import { readProc } from '../platform/processes/proc-file.ts'
import { startOf } from '../platform/processes/table.ts'

/** The socket files that were found to be listened to by us, by path, each as it was then. */
const known = new Map<string, string>()

/** Who was seen to listen on a socket file, by its path. */
const knownHolders = new Map<string, string>()

/**
 * True when whoever listens on a socket is of our uid, and counts processes as we do: a server in a sandbox of an agent's
 * is of our uid too, and tells numbers of its own. Node has no SO_PEERCRED, so the listener is looked for: the
 * kernel shows the sockets of a network namespace with the paths that they were bound to, and each process's
 * descriptors. True also without /proc, where nothing tells. A socket file has one listener for its whole life, so an
 * answer counts for as long as it is the same file.
 */
export function isListenedToByUs(socket: string, file: fs.Stats): boolean {
  if (backend !== 'proc') return true
  const sign = signOf(file)
  if (known.get(socket) === sign) return true
  if (!findListener(socket, file)) return false
  known.set(socket, sign)
  return true
}

/** True when this very process listens on a socket, and also without /proc, where nothing tells. */
export function isListenedToBy(pid: number, socket: string, file: fs.Stats): boolean {
  if (backend !== 'proc') return true
  const sign = `${signOf(file)} ${pid} ${startOf(pid)}`
  if (knownHolders.get(socket) === sign) return true
  const listeners = listenersOn(String(pid), socket, file)
  if (!descriptors(String(pid)).some(target => listeners.has(target))) return false
  knownHolders.set(socket, sign)
  return true
}

const signOf = ({ dev, ino, ctimeMs }: fs.Stats): string => `${dev} ${ino} ${ctimeMs}`

function findListener(socket: string, file: fs.Stats): boolean {
  // What is not found yet of the listeners on that file, by network namespace.
  const missing = new Map<string, Set<string>>()
  const holds = (pid: string) =>
    isOurs(Number(pid)) && sharesPids(Number(pid)) && holdsLast(pid, socket, file, missing)
  const pids = fs.readdirSync('/proc').filter(name => /^\d+$/.test(name))
  // The name is only a hint whom to ask first, with the latest ahead; the descriptor is what counts.
  const others: string[] = []
  const isFound = pids.reverse().some(pid => {
    if (readText(`/proc/${pid}/comm`).startsWith('tmux')) return holds(pid)
    others.push(pid)
    return false
  })
  return isFound || others.some(holds)
}

/** True when a process holds the last listener on that file that none of ours was seen to hold. */
function holdsLast(pid: string, socket: string, file: fs.Stats, missing: Map<string, Set<string>>): boolean {
  const namespace = link(`/proc/${pid}/ns/net`)
  if (namespace === undefined) return false
  const left = missing.get(namespace) ?? listenersOn(pid, socket, file)
  missing.set(namespace, left)
  if (left.size === 0) return false
  for (const target of descriptors(pid)) left.delete(target)
  return left.size === 0
}

/** Flags with SO_ACCEPTCON (net/unix/af_unix.c), then type and state, then the inode and the path it was bound to. */
const LISTENING = /^\S+: \S+ \S+ 00010000 \S+ \S+ +(\d+) (.+)$/gm

/** What the descriptors of the listeners on that file are links to, by the network namespace of a process. */
function listenersOn(pid: string, socket: string, file: fs.Stats): Set<string> {
  const all = [...readText(`/proc/${pid}/net/unix`).matchAll(LISTENING)].map(([, inode, name = '']) => ({
    target: `socket:[${inode}]`,
    name,
  }))
  const exact = all.filter(({ name }) => name === socket || isSameFile(pid, name, socket, file))
  // Of a server that named it relative to a folder, and has left that since, only the last name is known.
  const found = exact.length > 0 ? exact : all.filter(({ name }) => name === path.basename(socket))
  return new Set(found.map(({ target }) => target))
}

/** A server may have bound it by another path: through a link, or in a mount namespace of its own. */
function isSameFile(pid: string, name: string, socket: string, { dev, ino }: fs.Stats): boolean {
  if (!name.startsWith('/') || path.basename(name) !== path.basename(socket)) return false
  try {
    const found = fs.lstatSync(`/proc/${pid}/root${name}`)
    return found.dev === dev && found.ino === ino
  } catch {
    return false
  }
}

function descriptors(pid: string): string[] {
  try {
    return fs.readdirSync(`/proc/${pid}/fd`).flatMap(fd => link(`/proc/${pid}/fd/${fd}`) ?? [])
  } catch {
    return []
  }
}

function link(file: string): string | undefined {
  try {
    return fs.readlinkSync(file)
  } catch {
    return undefined
  }
}

function readText(file: string): string {
  const bytes = readProc(file, file.endsWith('/comm'))
  return typeof bytes === 'string' ? '' : bytes.toString('latin1')
}
