import { existsSync, lstatSync } from 'node:fs'
import { dirname, extname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { checkDefinition } from '../definition/check.ts'
import { resolveConfigEntry } from '../definition/config-entry.ts'
import type { System } from '../definition/system.ts'
import { CannotMeasureError } from '../errors.ts'
import { readRegular, requireRegular } from '../read-regular.ts'
import { systemNames } from './systems.ts'

/** The names of a configuration that is found without `--config`. */
const configNames = ['ts', 'mts', 'js', 'mjs', 'json'].map(ending => `leakrig.config.${ending}`)

/** The most mistakes that are listed. */
const mostShown = 50

/** A configuration that cannot be used. The message lists every mistake, a line each. */
export class ConfigError extends CannotMeasureError {
  override name = 'ConfigError'
}

/** The configuration in a folder; undefined where there is none. A link to nothing is one that cannot be read. */
export function findConfig(folder: string): string | undefined {
  return configNames
    .map(name => join(folder, name))
    .find(file => lstatSync(file, { throwIfNoEntry: false }) !== undefined)
}

/**
 * Reads the systems that a configuration defines: its default export, or the whole of a JSON file; one definition or a list.
 * @throws ConfigError with all mistakes
 */
export async function readConfig(path: string): Promise<System[]> {
  const file = resolve(path)
  const isJson = extname(file) === '.json'
  const exported = isJson ? readJson(file) : await importModule(file)
  const definitions = Array.isArray(exported) ? exported : [exported]
  if (definitions.length === 0)
    throw new ConfigError(`${file} defines no system: export one with defineSystem.`)
  const outcomes = definitions.map((definition: unknown, at) => {
    const within = Array.isArray(exported) ? [at] : []
    const source = { folder: dirname(file), path: ['default', ...within], ...(!isJson && { module: file }) }
    const outcome = checkDefinition(definition, source)
    const where = within.length > 0 ? `[${at}].` : ''
    return 'system' in outcome ? outcome : { mistakes: outcome.mistakes.map(mistake => `${where}${mistake}`) }
  })
  const mistakes = outcomes.flatMap(outcome => ('mistakes' in outcome ? outcome.mistakes : []))
  const systems = outcomes.flatMap(outcome => ('system' in outcome ? outcome.system : []))
  mistakes.push(...wrongNames(systems))
  if (mistakes.length === 0) return systems
  const count = mistakes.length === 1 ? 'one mistake' : `${mistakes.length} mistakes`
  const more = mistakes.length > mostShown ? [`  and ${mistakes.length - mostShown} more`] : []
  const shown = mistakes.slice(0, mostShown).map(mistake => `  ${mistake}`)
  throw new ConfigError([`${file} has ${count}:`, ...shown, ...more].join('\n'))
}

function wrongNames(systems: System[]): string[] {
  const names = systems.map(({ name }) => name)
  const twice = names.filter((name, at) => names.indexOf(name) !== at)
  return [
    ...[...new Set(twice)].map(name => `name: ${JSON.stringify(name)} is the name of several systems`),
    ...names
      .filter(name => systemNames.includes(name))
      .map(
        name => `name: ${JSON.stringify(name)} is the name of one of leakrig’s own systems: choose another`,
      ),
  ]
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readRegular(file))
  } catch (error) {
    throw unreadable(file, error)
  }
}

async function importModule(file: string): Promise<unknown> {
  resolveConfigEntry()
  try {
    if (!existsSync(file)) throw new Error('there is no such file')
    requireRegular(file)
    const module: { default?: unknown } = await import(pathToFileURL(file).href)
    if (module.default === undefined) throw new Error('it has no default export')
    return module.default
  } catch (error) {
    throw unreadable(file, error)
  }
}

function unreadable(file: string, error: unknown): ConfigError {
  const why = (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ')
  return new ConfigError(`${file} cannot be read as a configuration: ${why}.`)
}
