#!/usr/bin/env node
/**
 * Measures a cleanup against the cheapest possible one and against the report's first remedy. All three take turns in one
 * run, so that load on the machine affects each alike: `npm run bench:cleanup [-- --rounds N] [-- --folder DIR]`.
 * Exits 1 if a target is missed. Leaves nothing behind, even after Ctrl-C.
 */
import fs from 'node:fs'
import os from 'node:os'
import { Command, InvalidArgumentError } from 'commander'
import { median, ms, p99 } from './numbers.ts'
import { floor, ours, type Remedy, reportOption1 } from './remedies.ts'
import { type AgentKind, BenchWorkspace } from './workspace.ts'

const { rounds, folder } = new Command('bench:cleanup')
  .option('--rounds <n>', 'rounds per remedy', wholeNumber, 20)
  .option('--folder <dir>', 'where to put the workspace: measures that disk', folderThatExists, os.tmpdir())
  .exitOverride(error => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse()
  .opts<{ rounds: number; folder: string }>()
const GRACE_MS = 300

using bench = await BenchWorkspace.make(folder)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    bench[Symbol.dispose]()
    process.exit(130)
  })

/**
 * Runs the remedies in turn, each on `count` agents at once, and prints the times. With more than one round, an extra first
 * round warms up and does not count. Returns the medians in ms.
 */
async function race<Name extends string>(
  title: string,
  [count, kind, times]: [number, AgentKind, number],
  remedies: Record<Name, Remedy>,
): Promise<Record<Name, number>> {
  const names = Object.keys(remedies) as Name[]
  const measured = Object.fromEntries(names.map(name => [name, [] as number[]])) as Record<Name, number[]>
  for (let round = times > 1 ? -1 : 0; round < times; round++)
    for (const name of names) {
      const agents = await bench.deploy(count, kind)
      const start = performance.now()
      await Promise.all(agents.map(agent => remedies[name](agent, bench.socket)))
      if (round >= 0) measured[name].push(performance.now() - start)
    }
  const columns = (name: Name) =>
    `median ${ms(median(measured[name])).padStart(10)}   p99 ${ms(p99(measured[name])).padStart(10)}`
  for (const name of names) console.log(`${title.padEnd(28)} ${name.padEnd(10)} ${columns(name)}`)
  return Object.fromEntries(names.map(name => [name, median(measured[name])])) as Record<Name, number>
}

const all = { floor, ours: ours(), 'option 1': reportOption1 }
const both = { floor, ours: ours() }
const half = Math.ceil(rounds / 2)
const one = await race('one plain agent', [1, 'plain', rounds], all)
const ten = await race('ten at once', [10, 'plain', half], all)
await race('a hundred at once', [100, 'plain', 3], all)
const idle = await race('ten idle agents at once', [10, 'idle', half], both)
const thousand = await race('a thousand idle at once', [1000, 'idle', 1], both)
const stubborn = await race(`ignores TERM, grace ${GRACE_MS} ms`, [1, 'ignores TERM', 5], {
  ours: ours(GRACE_MS),
})

const targets: [string, number, number][] = [
  ['one agent / floor', one.ours / one.floor, 3],
  ['one agent x 25 / option 1', (25 * one.ours) / one['option 1'], 1],
  ['ten at once / one', ten.ours / one.ours, 3],
  ['per agent, at a thousand / at ten', thousand.ours / 1000 / (idle.ours / 10), 1.5],
  ['ignores TERM, ms beyond its grace', stubborn.ours - GRACE_MS, 100],
]
console.log()
for (const [what, value, most] of targets)
  console.log(
    `${what.padEnd(36)} ${value.toFixed(2).padStart(8)}   target ${most}   ${value <= most ? 'met' : 'MISSED'}`,
  )
process.exitCode = targets.every(([, value, most]) => value <= most) ? 0 : 1

function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Expected a whole number from 1 to 9999.')
}

function folderThatExists(text: string): string {
  if (fs.statSync(text, { throwIfNoEntry: false })?.isDirectory()) return text
  throw new InvalidArgumentError('Expected a folder that exists.')
}
