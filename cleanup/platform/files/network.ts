import fs from 'node:fs'

/** File systems that other machines write too, by their numbers in statfs(2): NFS, SMB, 9p (WSL, virtual machines), FUSE (sshfs, virtiofs), Ceph, AFS, GPFS, Lustre, OCFS2, GFS2. */
const NETWORK: ReadonlySet<number> = new Set([
  ...[0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x01021997, 0x65735546, 0x00c36400],
  ...[0x5346414f, 0x47504653, 0x0bd00bd0, 0x7461636f, 0x01161970],
])

/** True when a file lies on a file system that other machines may write at the same time. */
export function isNetworkFileSystem(file: string): boolean {
  try {
    return NETWORK.has(fs.statfsSync(file).type)
  } catch {
    return false
  }
}
