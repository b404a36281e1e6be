#!/usr/bin/env node
/**
 * Compares the cost of a run of the rig with that in an older checkout: `rig.ts OLD_CHECKOUT [--pairs N]`. Both run in
 * turn, so that a machine that is busy for a while is busy for both. Exits 1 when a target is missed.
 */
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { projectRoot } from '../../bin/programs.ts'
import { exitCodes } from '../report/exit-codes.ts'
import { type Cost, median, meter, seconds } from './cost.ts'
import { timeCompare } from './snapshots.ts'

interface Target {
  name: string
  /** A script of package.json, with its arguments. */
  script: [string, ...string[]]
  /** The most that it may cost here, as a multiple of its cost in the older checkout. */
  mostCpu: number
  mostWallMs?: number
}

const targets: Target[] = [
  {
    name: 'one cell of the catalogue',
    script: ['scenarios:catalogue', '--sandbox', 'namespace', 'plain × killed'],
    mostCpu: 0.4,
  },
  {
    name: 'the four scenarios',
    script: ['scenarios', '--sandbox', 'namespace'],
    mostCpu: 0.5,
    mostWallMs: 10_000,
  },
]
/** The most that comparing snapshots may cost at 400 agents, as a multiple of its cost at 10. */
const mostTimes = 50

const program = new Command('bench:rig')
  .description('what a run of the rig costs here, against an older checkout')
  .argument('<old-checkout>', 'a folder with the older project, after npm ci', checkout)
  .option('--pairs <n>', 'how often both run', wholeNumber, 3)
  .exitOverride(error => process.exit(error.exitCode === 0 ? exitCodes.passed : exitCodes.wrongUsage))
  .parse()
const [old = ''] = program.processedArgs as [string]
const { pairs } = program.opts<{ pairs: number }>()

const { how, cost } = meter()
console.log(
  `Processor time: user and system, of ${how}. Medians of ${pairs} pairs; a run before them fills caches.\n`,
)
try {
  const held = [...(await targetsHeld()), compareHeld()]
  process.exitCode = held.every(Boolean) ? exitCodes.passed : exitCodes.found
} catch (error) {
  console.error(`bench:rig: ${(error as Error).message}`)
  process.exitCode = exitCodes.inconclusive
}

async function targetsHeld(): Promise<boolean[]> {
  const held: boolean[] = []
  for (const target of targets) held.push(...(await measured(target)))
  return held
}

async function measured({ name, script, mostCpu, mostWallMs }: Target): Promise<boolean[]> {
  const both = await inPairs(script)
  const cpu = line(`${name}: CPU`, both, ({ cpuMs }) => cpuMs)
  const isCpuHeld = report(cpu.text, `at most ${mostCpu} x`, cpu.ratio <= mostCpu)
  const wall = line(`${name}: time`, both, ({ wallMs }) => wallMs)
  if (mostWallMs !== undefined)
    return [isCpuHeld, report(wall.text, `under ${seconds(mostWallMs)}`, wall.here < mostWallMs)]
  console.log(wall.text)
  return [isCpuHeld]
}

/** Runs both in turn, and swaps their order each time. */
async function inPairs(script: [string, ...string[]]): Promise<[Cost, Cost][]> {
  for (const folder of [old, projectRoot]) await runScript(folder, script)
  const costs: [Cost, Cost][] = []
  for (let pair = 0; pair < pairs; pair++) {
    const folders = pair % 2 === 0 ? [old, projectRoot] : [projectRoot, old]
    const [first, second] = [
      await runScript(folders[0] ?? '', script),
      await runScript(folders[1] ?? '', script),
    ]
    costs.push(pair % 2 === 0 ? [first, second] : [second, first])
  }
  return costs
}

/** Runs a script as npm does, without the cost of npm itself. */
function runScript(folder: string, [name, ...args]: [string, ...string[]]): Promise<Cost> {
  const { scripts } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const PATH = [join(folder, 'node_modules/.bin'), process.env.PATH].join(delimiter)
  return cost(['sh', '-c', `${scripts[name]} "$@"`, 'sh', ...args], folder, { ...process.env, PATH })
}

function line(name: string, both: [Cost, Cost][], of: (cost: Cost) => number) {
  const [there, here] = [0, 1].map(at => median(both.map(pair => of(pair[at] as Cost)))) as [number, number]
  const ratio = median(both.map(([one, other]) => of(other) / of(one)))
  const text = `${name.padEnd(34)} old ${seconds(there).padStart(7)}   here ${seconds(here).padStart(7)}   ${ratio.toFixed(2)} x`
  return { text, here, ratio }
}

/** Compares a snapshot in memory, in which every agent has leaked, with an empty one: no sandbox is needed. */
function compareHeld(): boolean {
  const [ten, many] = [timeCompare(10), timeCompare(400)]
  const text = `comparing a snapshot: CPU, 400 agents ${many.toFixed(1)} ms, 10 agents ${ten.toFixed(2)} ms   ${(many / ten).toFixed(0)} x`
  return report(text, `at most ${mostTimes} x`, many <= mostTimes * ten)
}

function report(text: string, target: string, isHeld: boolean): boolean {
  console.log(`${text}   ${target}: ${isHeld ? 'held' : 'not held'}`)
  return isHeld
}

function checkout(folder: string): string {
  const path = resolve(folder)
  if (['package.json', 'node_modules/.bin/node', 'harness/cli'].every(name => existsSync(join(path, name))))
    return path
  throw new InvalidArgumentError(`Expected a checkout of leakrig in which npm ci has run.`)
}

function wholeNumber(text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Expected a whole number from 1.')
}
