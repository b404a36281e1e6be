import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { dir } from 'tmp-promise'
import { expect, test } from 'vitest'
import { projectRoot } from '../../../bin/programs.ts'
import { needsNamespaces } from '../../../test/namespaces.ts'
import { readReport } from '../support/published.ts'

const readme = readFileSync(join(projectRoot, 'README.md'), 'utf8')

const inTmux = {
  normal: 'pass',
  ten: 'pass',
  manual: 'pass',
  'crash: one': 'leak',
  'crash: the process': 'pass',
  'crash: the tmux': 'pass',
}

/** The verdict of each scenario of an example, by its name up to the first colon or space. */
const expected: Record<string, Record<string, string>> = {
  shell: inTmux,
  mcp: inTmux,
  module: { ...inTmux, 'crash: the process': 'skipped', 'crash: the tmux': 'skipped' },
}

for (const [name, verdicts] of Object.entries(expected)) {
  test(`the README shows the configuration of the example ${name} as it is`, () => {
    const path = `examples/${name}/leakrig.config.ts`
    expect(readme).toContain(`// ${path}\n${readFileSync(join(projectRoot, path), 'utf8')}\`\`\``)
  })

  test(`the example ${name} is measured by the README’s command`, async () => {
    needsNamespaces()
    const { path, cleanup } = await dir({ unsafeCleanup: true })
    try {
      const json = join(path, 'report.json')
      const args = [
        '--sandbox',
        'namespace',
        '--config',
        join(projectRoot, `examples/${name}/leakrig.config.ts`),
        '--json',
        json,
      ]
      const program = join(projectRoot, 'bin/leakrig.cjs')
      const { exitCode, stdout } = await execa(process.execPath, [program, 'scenarios', ...args], {
        cwd: projectRoot,
        env: { INIT_CWD: path },
        reject: false,
      })
      const { scenarios, systems } = readReport(json)
      expect(systems, stdout).toEqual([name])
      expect(scenarios, stdout).toHaveLength(7)
      for (const [beginning, verdict] of Object.entries(verdicts)) {
        const found = scenarios.filter(one => one.name.startsWith(beginning))
        expect(
          found.map(one => one.verdict),
          `${beginning}\n${stdout}`,
        ).toEqual(found.map(() => verdict))
      }
      expect(exitCode).toBe(1)
    } finally {
      await cleanup()
    }
  })
}

test('the README says what its command prints', () => {
  const line = readme.split('\n').find(one => one.startsWith('npm run scenarios -- --config examples/shell/'))
  const counts = { pass: 0, leak: 0, skipped: 0 }
  // "normal" is two scenarios.
  for (const [beginning, verdict] of Object.entries(expected.shell ?? {}))
    counts[verdict as keyof typeof counts] += beginning === 'normal' ? 2 : 1
  const printed = Object.entries(counts).flatMap(([name, count]) => (count > 0 ? `${count} ${name}` : []))
  expect(line).toMatch(new RegExp(`# ${printed.join(', ')}$`))
})
