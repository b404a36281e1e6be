import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { projectRoot } from '../../../bin/programs.ts'
import { needs } from '../../../test/needs.ts'
import { orchestratorArgs } from '../support/orchestrator.ts'

const strategies = ['none', 'report-option-1', 'hybrid']
const owner = 54_321

/** Starts the orchestrator, which ends at once because its stdin is empty. */
async function begin(
  strategy: string,
  workspace: string,
  { cwd = projectRoot, env = {} }: { cwd?: string; env?: Record<string, string> } = {},
) {
  const { exitCode, stderr, timedOut } = await execa(process.execPath, orchestratorArgs(strategy), {
    cwd,
    env: { CLAUDE_ORCHESTRATOR_WORKSPACE: workspace, ...env },
    input: '',
    reject: false,
    timeout: 60_000,
  })
  return { exitCode, stderr, timedOut }
}

test.for(strategies)('as root, %s makes nothing behind a link of the owner', async strategy => {
  needs('root rights', process.getuid?.() === 0)
  const folder = mkdtempSync(join(tmpdir(), 'leakrig-test-'))
  try {
    const [workspace, private_] = [join(folder, 'workspace'), join(folder, 'of-root')]
    mkdirSync(private_, { mode: 0o700 })
    mkdirSync(workspace)
    symlinkSync(private_, join(workspace, 'registry'))
    for (const path of [folder, workspace]) chownSync(path, owner, owner)
    const { exitCode, stderr } = await begin(strategy, workspace)
    expect([exitCode, stderr]).toEqual([3, expect.stringMatching(/^leakrig: [^\n]*registry[^\n]*$/)])
    expect(readdirSync(private_)).toEqual([])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('its workspace is relative to the folder that npm was called from', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'leakrig-test-'))
  const [clone, elsewhere] = [join(folder, 'clone'), join(folder, 'elsewhere')]
  try {
    for (const path of [clone, elsewhere]) mkdirSync(path)
    // The environment of "npm --prefix clone run leakrig".
    const npm = {
      npm_lifecycle_event: 'leakrig',
      npm_package_json: join(clone, 'package.json'),
      INIT_CWD: elsewhere,
    }
    expect(await begin('none', '', { cwd: clone, env: npm })).toMatchObject({ exitCode: 0, stderr: '' })
    expect([readdirSync(clone), readdirSync(elsewhere)]).toEqual([[], ['.agent-workspace']])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

const impossible = ['/proc/nope', '/etc/passwd']

test.for(strategies.flatMap(strategy => impossible.map(workspace => [strategy, workspace] as const)))(
  '%s says in one sentence that %s can be no workspace',
  async ([strategy, workspace]) => {
    const { exitCode, stderr, timedOut } = await begin(strategy, workspace)
    expect(timedOut).toBe(false)
    expect([exitCode, stderr]).toEqual([3, expect.stringMatching(/^leakrig: [^\n]*$/)])
    expect(existsSync('/proc/nope')).toBe(false)
  },
)
