import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { systemCode } from '../errors.ts'
import { backend } from '../platform/processes/backend.ts'
import { sharesPids } from '../platform/processes/namespaces.ts'
import { descriptorTarget, listDescriptors } from '../platform/processes/open-files.ts'
import { isOurs } from '../platform/processes/owner.ts'
import { listProc } from '../platform/processes/proc.ts'
import { readProcLink, readProcText } from '../platform/processes/proc-file.ts'
import { startOf } from '../platform/processes/table.ts'

/** False only when the kernel reports that nothing listens: the socket does not exist, or it refuses the connection. */
export function isListening(socket: string): Promise<boolean> {
  return new Promise(resolve => {
    const connection = net.connect(socket)
    const finish = (isListening: boolean) => {
      connection.destroy()
      resolve(isListening)
    }
    connection.on('connect', () => finish(true))
    connection.on('error', error => {
      const code = systemCode(error)
      finish(code !== 'ENOENT' && code !== 'ECONNREFUSED' && code !== 'ENOTDIR')
    })
  })
}

/*
 * Node has no SO_PEERCRED, so the process behind a socket is found through /proc: the kernel lists the sockets of each
 * network namespace with the paths that they were bound to, and the descriptors of each process. A socket file has one
 * listener for its whole life, so an answer stays valid as long as the file is the same.
 */

/** Sockets found to be listened to by our user: the file's identity by path. */
const ours = new Map<string, string>()

/** Sockets found to be listened to by a given process: the identity of file and process by path. */
const holders = new Map<string, string>()

/**
 * True when the listener of a socket runs as our user and in our pid namespace. A server in an agent's sandbox runs as our
 * user as well, but reports pids of its own namespace. Always true without /proc, where the listener cannot be found.
 */
export function isListenedToByUs(socket: string, file: fs.Stats): boolean {
  if (backend !== 'proc') return true
  const identity = identityOf(file)
  if (ours.get(socket) === identity) return true
  if (!findListener(socket, file)) return false
  ours.set(socket, identity)
  return true
}

/** True when this very process listens on a socket. Always true without /proc. */
export function isListenedToBy(pid: number, socket: string, file: fs.Stats): boolean {
  if (backend !== 'proc') return true
  const identity = `${identityOf(file)} ${pid} ${startOf(pid)}`
  if (holders.get(socket) === identity) return true
  const listeners = listenersOn(String(pid), socket, file)
  if (!descriptors(String(pid)).some(target => listeners.has(target))) return false
  holders.set(socket, identity)
  return true
}

const identityOf = ({ dev, ino, ctimeMs }: fs.Stats): string => `${dev} ${ino} ${ctimeMs}`

function findListener(socket: string, file: fs.Stats): boolean {
  // The listeners on that file whose holders were not found yet, by network namespace.
  const missing = new Map<string, Set<string>>()
  const holds = (pid: string) =>
    isOurs(Number(pid)) && sharesPids(Number(pid)) && holdsLast(pid, socket, file, missing)
  const pids = listProc().map(String)
  // Processes named tmux are checked first, the newest ahead, to save time. The descriptor decides, not the name.
  const others: string[] = []
  const isFound = pids.reverse().some(pid => {
    if (readProcText(`/proc/${pid}/comm`, true)?.startsWith('tmux')) return holds(pid)
    others.push(pid)
    return false
  })
  return isFound || others.some(holds)
}

/** True when a process of ours holds the last listener on that file whose holder was not found yet. */
function holdsLast(pid: string, socket: string, file: fs.Stats, missing: Map<string, Set<string>>): boolean {
  const namespace = readProcLink(`/proc/${pid}/ns/net`)
  if (namespace === undefined) return false
  const left = missing.get(namespace) ?? listenersOn(pid, socket, file)
  missing.set(namespace, left)
  if (left.size === 0) return false
  for (const target of descriptors(pid)) left.delete(target)
  return left.size === 0
}

/** Flags with SO_ACCEPTCON (net/unix/af_unix.c), then type and state, then the inode and the path it was bound to. */
const LISTENING = /^\S+: \S+ \S+ 00010000 \S+ \S+ +(\d+) (.+)$/gm

/** The Unix sockets that are listened on in the network namespace of a process. */
const allListeners = (pid: string) =>
  [...(readProcText(`/proc/${pid}/net/unix`) ?? '').matchAll(LISTENING)].map(([, inode, name = '']) => ({
    target: `socket:[${inode}]`,
    name,
  }))

/** The absolute paths of the Unix sockets that a process listens on, as it bound them. None without /proc. */
export function socketsListenedToBy(pid: number): string[] {
  if (backend !== 'proc') return []
  const held = new Set(descriptors(String(pid)))
  return allListeners(String(pid))
    .filter(({ target, name }) => name.startsWith('/') && held.has(target))
    .map(({ name }) => name)
}

/** The link targets of the descriptors that listen on a file, in the network namespace of a process. */
function listenersOn(pid: string, socket: string, file: fs.Stats): Set<string> {
  const all = allListeners(pid)
  const exact = all.filter(({ name }) => name === socket || isSameFile(pid, name, socket, file))
  // A server that bound a relative path and has changed its folder since is listed with that path only.
  const found = exact.length > 0 ? exact : all.filter(({ name }) => name === path.basename(socket))
  return new Set(found.map(({ target }) => target))
}

/** A server may have bound the file by another path: through a link, or in its own mount namespace. */
function isSameFile(pid: string, name: string, socket: string, { dev, ino }: fs.Stats): boolean {
  if (!name.startsWith('/') || path.basename(name) !== path.basename(socket)) return false
  try {
    const found = fs.lstatSync(`/proc/${pid}/root${name}`)
    return found.dev === dev && found.ino === ino
  } catch {
    return false
  }
}

const descriptors = (pid: string): string[] =>
  listDescriptors(Number(pid)).flatMap(one => descriptorTarget(one) ?? [])
