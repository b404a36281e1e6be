/** @module-tag long */
import { join } from 'node:path'
import { execa } from 'execa'
import { dir } from 'tmp-promise'
import { expect, test } from 'vitest'
import { projectRoot } from '../../../bin/programs.ts'
import { needsNamespaces } from '../../../test/namespaces.ts'
import { readReport } from '../support/published.ts'

/** What docs/orchestrators.md says, by the beginning of the scenario's name. */
const documented: [example: string, system: string, verdicts: Record<string, string>][] = [
  ['killers', 'tree-kill', { 'normal completion': 'pass', 'manual kill': 'pass' }],
  ['killers', 'fkill-cli', { 'manual kill': 'pass' }],
  [
    'kkweon',
    '@kkweon/agent-orchestrator-mcp',
    { 'manual kill': 'pass', 'crash: one claude': 'collateral', 'crash: the tmux server': 'skipped' },
  ],
  ['report', 'report-before', { 'manual kill': 'leak' }],
  ['report', 'report-after', { 'manual kill': 'leak' }],
]

/** What npm and git print without a network, in the rig's sentence on the install step. */
const noNetwork =
  /The install step .*(?:behind a proxy|network|EAI_AGAIN|ENOTFOUND|ETIMEDOUT|ECONN|Could not resolve|unable to access)/s

for (const [example, system, verdicts] of documented)
  test(`${system} is installed and measured, with the verdicts of the table`, async ({ skip }) => {
    needsNamespaces()
    const { path, cleanup } = await dir({ unsafeCleanup: true })
    try {
      const json = join(path, 'report.json')
      const program = join(projectRoot, 'bin/leakrig.cjs')
      const config = join(projectRoot, `examples/${example}/leakrig.config.ts`)
      const options = ['--sandbox', 'namespace', '--config', config, '--system', system, '--json', json]
      const chosen = ['-t', Object.keys(verdicts).join('|')]
      const { all } = await execa(process.execPath, [program, 'scenarios', ...options, ...chosen], {
        cwd: projectRoot,
        // Where the files of red scenarios go.
        env: { INIT_CWD: path },
        reject: false,
        all: true,
      })
      if (noNetwork.test(all)) skip(`nothing can be installed: ${all}`)
      const { scenarios } = readReport(json)
      const found = Object.keys(verdicts).map(name => [
        name,
        scenarios.find(one => one.name.startsWith(name))?.verdict,
      ])
      expect(Object.fromEntries(found), all).toEqual(verdicts)
    } finally {
      await cleanup()
    }
  })
