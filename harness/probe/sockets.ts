import { readFileSync } from 'node:fs'
import type { SocketResource } from '../snapshot/snapshot.ts'

const listening = { unixFlag: '00010000', tcpState: '0A' }

/** Every listening socket of the sandbox, from proc_net(5): unix sockets by path, TCP by address and port. */
export function readSockets(): SocketResource[] {
  return [...readUnix(), ...(['tcp', 'tcp6'] as const).filter(isInUse).flatMap(readTcp)]
}

/**
 * To list a sandbox's TCP sockets the kernel walks a table of the whole machine, which takes a fifth of the time of a
 * snapshot; their count costs nothing. Where there is no count, they are listed.
 */
function isInUse(table: 'tcp' | 'tcp6'): boolean {
  try {
    const counts = readFileSync(table === 'tcp' ? '/proc/net/sockstat' : '/proc/net/sockstat6', 'utf8')
    return !new RegExp(`^${table.toUpperCase()}: inuse 0\\b`, 'm').test(counts)
  } catch {
    return true
  }
}

function readUnix(): SocketResource[] {
  return listUnix().map(({ path, inode }) => socket(`unix ${path}`, inode))
}

/** The listening unix sockets that have a path, with their inodes: descriptors name a socket by its inode. */
export function listUnix(): { path: string; inode: string }[] {
  return rows('unix')
    .filter(row => row[3] === listening.unixFlag && row[7])
    .map(row => ({ path: row.slice(7).join(' '), inode: row[6] ?? '' }))
}

function readTcp(table: 'tcp' | 'tcp6'): SocketResource[] {
  return rows(table)
    .filter(row => row[3] === listening.tcpState)
    .map(row => socket(`${table} ${row[1]}`, row[9]))
}

function rows(table: string): string[][] {
  const [, ...lines] = readFileSync(`/proc/net/${table}`, 'utf8').trim().split('\n')
  return lines.map(line => line.trim().split(/\s+/))
}

function socket(address: string, inode: string | undefined): SocketResource {
  return { kind: 'socket', id: `socket ${address} ${inode}`, address, inode: inode ?? '' }
}
