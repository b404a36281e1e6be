import { lstatSync, readFileSync, realpathSync, type Stats, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { placesBelow } from '../probe/places.ts'
import { WrongNeed } from './needs.ts'

/** What a sandbox shows of this machine, under the same paths. */
export interface Mounts {
  /** Absolute paths without links in them; none lies below another. */
  paths: string[]
  /** Paths that were named and lead there through a link, each with its target. */
  links: [path: string, target: string][]
}

/** Every sandbox has these of its own, and with /run the sockets of the machine's services would be shown. */
const ownOfSandbox = ['/dev', '/etc', '/proc', '/run', '/sys']

/** The system itself, which both sandboxes have. Folders below them may be mounted. */
const system = ['', 'usr', 'usr/local']
  .flatMap(top => ['', 'bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'].map(name => resolve('/', top, name)))
  .concat('/gnu/store', '/nix/store', '/tmp')

const { home, own, tmux, work } = placesBelow('/tmp')

/**
 * Checks the paths that a sandbox is to show. Relative ones are relative to the current folder.
 * @throws WrongNeed for a path that does not exist, or that no sandbox can show
 */
export function resolveMounts(named: readonly string[]): Mounts {
  const found = named.map(path => ({ path: resolve(path), target: targetOf(path) }))
  const targets = [...new Set(found.map(({ target }) => target))]
  const paths = targets.filter(path => !targets.some(other => other !== path && isWithin(path, other)))
  const links = found.filter(({ path, target }) => path !== target)
  return { paths, links: links.map(({ path, target }) => [path, target]) }
}

function targetOf(named: string): string {
  if (named === '' || named.includes('\0')) throw refused(named, 'is no path', 'name a folder or a file')
  const path = resolve(named)
  const target = realPath(named)
  for (const one of new Set([path, target])) requireFree(named, one)
  const kind = kindOf(statSync(target))
  if (kind) throw refused(named, `is ${kind}`, 'only folders and regular files can be mounted')
  return target
}

function realPath(named: string): string {
  try {
    return realpathSync(named)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'ENOTDIR')
      throw refused(named, `cannot be read (${code})`, 'make it readable')
    const isLink = code === 'ENOENT' && lstatSync(named, { throwIfNoEntry: false })?.isSymbolicLink()
    throw refused(
      named,
      isLink ? 'is a link to nothing' : 'does not exist',
      'name a folder or a file that exists',
    )
  }
}

/** @throws WrongNeed for a path at which the sandbox has something of its own */
function requireFree(named: string, path: string): void {
  const folder = ownOfSandbox.find(one => isWithin(path, one))
  if (folder)
    throw refused(
      named,
      `lies in ${folder}, of which each sandbox has its own`,
      'copy what is needed to another folder',
    )
  const covered = system.find(one => isWithin(one, path))
  if (covered === '/') throw refused(named, 'is the whole machine', 'name the folders that are needed')
  if (covered)
    throw refused(named, `would cover ${covered} of the sandbox`, 'name the folders below it that are needed')
  const used = [home, own, tmux, work].find(one => isWithin(path, one))
  if (used)
    throw refused(named, `lies in ${used}, which the sandbox uses itself`, 'move it to another folder')
}

const refused = (path: string, why: string, what: string): WrongNeed =>
  new WrongNeed(`${JSON.stringify(path)} cannot be mounted, because it ${why}: ${what}.`)

function kindOf(file: Stats): string | undefined {
  if (file.isDirectory() || file.isFile()) return undefined
  if (file.isSocket()) return 'a socket'
  return file.isFIFO() ? 'a pipe' : 'a device'
}

/**
 * Checks that no program listens on a socket in these folders, because a read-only mount does not keep a run from
 * connecting to it. A socket that is made later, or in another network namespace, is not found.
 * @throws WrongNeed that names the socket
 */
export function requireNoListener(paths: readonly string[]): void {
  if (paths.length === 0) return
  for (const socket of listeningSockets()) {
    const path = paths.find(one => isWithin(socket, one))
    if (path)
      throw refused(
        path,
        `holds the socket ${JSON.stringify(socket)}, to which a run could connect`,
        'end the program that listens there, or name folders without it',
      )
  }
}

/** Paths of /proc/net/unix (proc(5)) on which a connection is accepted, and those that take datagrams. */
function listeningSockets(): string[] {
  const accepts = 0x10000
  const datagram = 2
  const lines = readFileSync('/proc/net/unix', 'utf8').split('\n').slice(1)
  return lines.flatMap(line => {
    const [, flags = '', type = '', path] = /^\S+ \S+ \S+ (\S+) (\S+) \S+ +\d+ (\/.*)$/.exec(line) ?? []
    const isOpen = (Number.parseInt(flags, 16) & accepts) !== 0 || Number.parseInt(type, 16) === datagram
    return path !== undefined && isOpen ? [path] : []
  })
}

/** True for the folder itself, too. */
function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`)
}
