import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { dir as temporaryFolder } from 'tmp-promise'
import { expect, test } from 'vitest'
import { projectRoot } from '../../../bin/programs.ts'
import { needsNamespaces } from '../../../test/namespaces.ts'
import { needs } from '../../../test/needs.ts'

needsNamespaces()

/** A machine with nix: this machine's files in another mount namespace, with the socket of a daemon. */
const machine = `set -e
cd "$1"
mount -t tmpfs t . && cd "$1" && mkdir upper work root
mount -t overlay o -o lowerdir=/,upperdir=upper,workdir=work root
for name in proc sys dev tmp "$2"; do mkdir -p "root/$name" && mount --rbind "/$name" "root/$name"; done
cd root && mkdir old && pivot_root . old && cd /
mkdir -p /nix/store/hash-program /nix/var/nix/profiles /nix/var/nix/daemon-socket
perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => shift, Listen => 1)' /nix/var/nix/daemon-socket/socket
mkfifo /life /said
sleep 60 >/life &
writer=$!
(cat /said; kill $writer) &
exec sh "/$2/harness/sandbox/namespace-init.sh" guard '--mount --pid --fork --net --ipc --uts --cgroup --kill-child=KILL' same \
  1 "/$2" 0 0 0 0 -all none 0 /usr/bin/find /nix 3</life >/said`

test('a store is visible in the sandbox, and the socket of its daemon is not', async () => {
  needs('root rights', process.getuid?.() === 0)
  const { path: folder, cleanup } = await temporaryFolder({ prefix: 'lr-', unsafeCleanup: true })
  try {
    const words = ['-m', '--propagation', 'private', 'bash', '-c', machine, 'bash', fs.realpathSync(folder)]
    const { stdout, stderr } = spawnSync('unshare', [...words, path.relative('/', projectRoot)], {
      encoding: 'utf8',
      timeout: 20_000,
    })
    needs('overlay that may be mounted', !/overlay/.test(stderr))
    expect({ shown: stdout.trim().split('\n').toSorted(), stderr }).toEqual({
      shown: [
        '/nix',
        '/nix/store',
        '/nix/store/hash-program',
        '/nix/var',
        '/nix/var/nix',
        '/nix/var/nix/profiles',
      ],
      stderr: '',
    })
  } finally {
    await cleanup()
  }
})
