import { existsSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, isAbsolute, join } from 'node:path'
import { WrongNeed } from '../needs.ts'

/**
 * The paths in a namespace sandbox at which the fake claude stands in for another one: each claude of this machine that a
 * program could find by itself, and those that were named.
 * @throws WrongNeed for a path that cannot be covered
 */
export function coveredClaudes(path: string, named: readonly string[], shown: readonly string[]): string[] {
  const usual = [
    '/usr/local/bin',
    '/usr/bin',
    ...['.local/bin', '.claude/local'].map(name => join(homedir(), name)),
  ]
  const found = [...path.split(delimiter), ...usual]
    .filter(isAbsolute)
    .map(folder => join(folder, 'claude'))
    .filter(file => existsSync(file))
  requireCoverable(named, shown)
  const all = [...found.filter(one => isStable(one, shown)), ...named]
  return [...new Set(all.flatMap(one => (existsSync(one) ? [one, realpathSync(one)] : [one])))]
}

/** @throws WrongNeed for a path at which no sandbox can cover a claude */
export function requireCoverable(named: readonly string[], shown: readonly string[]): void {
  for (const path of named) {
    const [why, what] =
      !isAbsolute(path) || path.includes('\0') ? notAbsolute : isStable(path, shown) ? [] : inTmp
    if (why)
      throw new WrongNeed(`The claude ${JSON.stringify(path)} cannot be covered, because it ${why}: ${what}.`)
  }
}

const notAbsolute = ['is no absolute path', 'name the file with its whole path']
const inTmp = ['lies in the sandbox’s own /tmp', 'mount its folder, or name one outside of /tmp']

/** The sandbox's own /tmp is emptied for each scenario. */
const isStable = (path: string, shown: readonly string[]): boolean =>
  !path.startsWith('/tmp/') || shown.some(one => path === one || path.startsWith(`${one}/`))

/** The real npx that a PATH finds; undefined without one. */
export function findNpx(path: string): string | undefined {
  const found = [...path.split(delimiter), '/usr/local/bin', '/usr/bin'].map(folder => join(folder, 'npx'))
  const first = found.find(file => isAbsolute(file) && existsSync(file))
  return first === undefined ? undefined : realpathSync(first)
}
