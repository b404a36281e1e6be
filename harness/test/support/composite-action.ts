import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { data, Evaluator, Lexer, Parser } from '@actions/expressions'
import { execa } from 'execa'
import { parse } from 'yaml'

interface Step {
  id?: string
  if?: string
  uses?: string
  with?: Record<string, string>
  run?: string
  'working-directory'?: string
  env?: Record<string, string>
}

interface Action {
  inputs: Record<string, { default?: string }>
  outputs: Record<string, { value: string }>
  runs: { steps: Step[] }
}

export interface ActionRun {
  /** Below it the runner's own files and folders are made. */
  folder: string
  /** The folder of the repository that uses the action. */
  workspace: string
  /** Where the action lies. */
  action: string
  inputs: Record<string, string>
  env?: Record<string, string>
  /** Files that are in the runner's temporary folder, as a cache restores them. */
  restored?: Record<string, string>
}

export interface ActionResult {
  /** The first exit code of a step that is not 0. */
  exitCode: number
  outputs: Record<string, string>
  /** The actions that it would have used, with what it gives them. */
  used: { uses: string; with: Record<string, string> }[]
  /** What it would have installed: the arguments of each call of apt-get. */
  installed: string[]
  log: string
  summary: string
}

/**
 * Runs the shell steps of a composite action as a runner of GitHub does: a shell with the same flags, a file for outputs and
 * the summary, expressions by GitHub's own evaluator. Actions that it uses are noted and not run, and nothing is installed.
 */
export async function runAction({
  folder,
  workspace,
  action,
  inputs,
  env = {},
  restored = {},
}: ActionRun): Promise<ActionResult> {
  const { inputs: declared, outputs, runs }: Action = parse(readFileSync(join(action, 'action.yml'), 'utf8'))
  const temporary = mkdtempSync(join(folder, 'runner-'))
  const file = (name: string) => {
    writeFileSync(join(temporary, name), '')
    return join(temporary, name)
  }
  for (const [name, text] of Object.entries(restored)) writeFileSync(join(temporary, name), text)
  const summary = file('summary.md')
  const installed = file('installed')
  const programs = makeWorkspace(temporary, {
    'bin/apt-get': `#!/bin/sh\necho "$@" >>${installed}\n`,
    'bin/sudo': '#!/bin/sh\n[ "$1" != --preserve-env ] || shift\nexec "$@"\n',
  })
  const defaults = Object.entries(declared).map(([name, { default: value = '' }]) => [name, String(value)])
  const context = {
    inputs: { ...Object.fromEntries(defaults), ...inputs },
    github: { action_path: action, workspace },
    runner: { os: 'Linux', arch: 'X64', temp: temporary },
    steps: {} as Record<string, { outputs: Record<string, string> }>,
  }
  const result: ActionResult = { exitCode: 0, outputs: {}, used: [], installed: [], log: '', summary: '' }
  for (const [at, step] of runs.steps.entries()) {
    const value = (text: string) => interpolated(text, context)
    const condition = step.if ?? 'success()'
    const isMeant = condition.includes('always()') || result.exitCode === 0
    if (!isMeant || evaluated(condition, context) !== 'true') continue
    if (step.uses) {
      const given = Object.entries(step.with ?? {}).map(([name, text]) => [name, value(String(text))])
      result.used.push({ uses: step.uses.split('@')[0] ?? '', with: Object.fromEntries(given) })
      continue
    }
    const output = file(`output-${at}`)
    const script = file(`script-${at}.sh`)
    writeFileSync(script, value(step.run ?? ''))
    const own = Object.entries(step.env ?? {}).map(([name, text]) => [name, value(text)])
    const { exitCode = 1, all = '' } = await execa(
      'bash',
      ['--noprofile', '--norc', '-eo', 'pipefail', script],
      {
        cwd: resolve(workspace, value(step['working-directory'] ?? '.')),
        env: {
          ...machine,
          ...env,
          PATH: `${join(programs, 'bin')}:${env.PATH ?? machine.PATH}`,
          ...Object.fromEntries(own),
          GITHUB_OUTPUT: output,
          GITHUB_STEP_SUMMARY: summary,
          GITHUB_ACTIONS: 'true',
          GITHUB_WORKSPACE: workspace,
        },
        extendEnv: false,
        all: true,
        reject: false,
      },
    )
    result.log += `${all}\n`
    if (result.exitCode === 0) result.exitCode = exitCode
    if (step.id) context.steps[step.id] = { outputs: outputsIn(readFileSync(output, 'utf8')) }
  }
  for (const [name, { value }] of Object.entries(outputs)) result.outputs[name] = interpolated(value, context)
  const asked = readFileSync(installed, 'utf8').split('\n').filter(Boolean)
  return { ...result, installed: asked, summary: readFileSync(summary, 'utf8') }
}

/** What a runner's machine has, and nothing of npm, in which the tests may run. */
export const machine: Record<string, string> = {
  PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
  ...Object.fromEntries(
    ['HOME', 'DOCKER_HOST', 'NODE_EXTRA_CA_CERTS'].flatMap(name => {
      const value = process.env[name]
      return value ? [[name, value]] : []
    }),
  ),
}

function outputsIn(text: string): Record<string, string> {
  const lines = text.split('\n').filter(Boolean)
  return Object.fromEntries(
    lines.map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
}

const interpolated = (text: string, context: object): string =>
  text.replaceAll(/\$\{\{(.*?)\}\}/gs, (_, expression) => evaluated(expression, context))

/** The functions of GitHub's own that say how the steps before went: whoever calls this has looked at that. */
const statusFunctions = ['always', 'success'].map(name => ({
  ...{ name, description: '', minArgs: 0, maxArgs: 0 },
  call: () => new data.BooleanData(true),
}))

function evaluated(expression: string, context: object): string {
  const { tokens } = new Lexer(expression.trim()).lex()
  const names = ['inputs', 'github', 'runner', 'steps']
  const tree = new Parser(tokens, names, statusFunctions).parse()
  const functions = new Map(statusFunctions.map(one => [one.name, one]))
  const dictionary = JSON.parse(JSON.stringify(context), data.reviver)
  return new Evaluator(tree, dictionary, functions).evaluate().coerceString()
}

/** A folder that stands for a checked-out repository, with files. */
export function makeWorkspace(folder: string, files: Record<string, string>): string {
  const workspace = mkdtempSync(join(folder, 'workspace-'))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(resolve(workspace, name, '..'), { recursive: true })
    writeFileSync(join(workspace, name), text, {
      mode: /(^|[/.])bin\//.test(name) ? 0o755 : 0o644,
    })
  }
  return workspace
}
