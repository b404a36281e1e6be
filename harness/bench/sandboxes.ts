#!/usr/bin/env node
/**
 * Compares how long the four scenarios take in containers and in namespaces: both in turn, three times. A first run of
 * each, which builds the image, is not counted. Exits 1 when the limit does not hold.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { $ } from 'zx'
import { projectRoot } from '../../bin/programs.ts'
import { median, seconds } from './cost.ts'

const rounds = 3
const kinds = ['namespace', 'container'] as const
const reports = mkdtempSync(join(tmpdir(), 'leakrig-bench-'))
const times: Record<(typeof kinds)[number], number[]> = { namespace: [], container: [] }

process.once('exit', () => rmSync(reports, { recursive: true }))
for (let round = 0; round <= rounds; round++) {
  for (const kind of kinds) {
    const { durationMs } = await run(kind)
    if (round > 0) times[kind].push(durationMs)
    console.log(`${round === 0 ? 'warm-up' : `round ${round}`}  ${kind.padEnd(9)}  ${seconds(durationMs)}`)
  }
}

const [namespace, container] = [median(times.namespace), median(times.container)]
const limit = 1.5 * namespace + 4 * 1000
const held = container <= limit
console.log(
  `median: namespace ${seconds(namespace)}, container ${seconds(container)}, ratio ${(container / namespace).toFixed(2)}`,
)
console.log(
  `limit: 1.5 x namespace + 1 s for each of 4 scenarios = ${seconds(limit)}: ${held ? 'held' : 'not held'}`,
)
process.exit(held ? 0 : 1)

async function run(kind: string): Promise<{ durationMs: number }> {
  const file = join(reports, `bench-${kind}.json`)
  const program = join(projectRoot, 'bin/leakrig.ts')
  await $`${process.execPath} ${program} scenarios --sandbox ${kind} --json ${file}`.quiet()
  return JSON.parse(readFileSync(file, 'utf8'))
}
