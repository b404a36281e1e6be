import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { testProgram } from '../../../bin/programs.ts'
import { needs } from '../../../test/needs.ts'
import { layout } from '../../orchestrator.ts'
import { fileSystemOf } from '../../platform/files/file-system.ts'
import { TASK, useTwoDeadAgents } from '../support/two-dead-agents.ts'

const WITHOUT_LOCKS = path.join(import.meta.dirname, '../support/without-locks.pl')
const workspaceNow = useTwoDeadAgents()

/** Runs `leakrig` where every lock is refused with an error number. */
function leakrig(errno: number, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(
    'perl',
    [WITHOUT_LOCKS, String(errno), process.execPath, testProgram('leakrig'), ...args],
    { encoding: 'utf8' },
  )
  needs('perl with seccomp', !/^(unknown machine|no_new_privs|seccomp)/m.test(stderr))
  return { code: status, out: stdout, err: stderr }
}

test.each([
  [37, 'ENOLCK, no locks available'],
  [38, 'ENOSYS, not implemented'],
  [95, 'ENOTSUP, not supported'],
  [5, 'EIO'],
])(
  'where locks are refused with error %d, the lock, its file system and the way out are named',
  (errno, why) => {
    needs('Linux', process.platform === 'linux')
    const workspace = workspaceNow()
    const before = fs.readFileSync(layout.taskRegistry(workspace, TASK), 'utf8')
    const lock = `${layout.taskRegistry(workspace, TASK)}.lock`
    const sentence = `The lock file ${lock} could not be locked (${why}); it is on ${fileSystemOf(lock)}. Nothing was changed without the lock;`
    const swept = leakrig(errno, 'sweep', workspace, '--apply', '--min-age', '0s')
    expect(swept.out).toContain(sentence)
    expect(swept.out).toContain('or move the workspace to a local disk')
    expect(swept.out).not.toContain('make room')
    expect(swept.code).not.toBe(0)
    const daemon = leakrig(errno, 'daemon', workspace)
    expect(daemon.err).toContain(`The lock file ${layout.daemonLock(workspace)} could not be locked (${why})`)
    expect(daemon.code).toBe(3)
    expect(fs.readFileSync(layout.taskRegistry(workspace, TASK), 'utf8')).toBe(before)
  },
)

test('a file system is named with the folder that it is mounted at', () => {
  needs('Linux', process.platform === 'linux')
  expect(fileSystemOf('/proc/self/status')).toBe('proc, mounted at /proc')
  expect(fileSystemOf('/dev/shm/x')).toBe('tmpfs, mounted at /dev/shm')
})
