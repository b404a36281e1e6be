import type { System } from '../definition/system.ts'
import { ConfigError, findConfig, readConfig } from '../systems/config-file.ts'
import { systemNames } from '../systems/systems.ts'
import { currentFolder, inCurrentFolder } from './current-folder.ts'
import { UsageError } from './exit.ts'

/** What the options say about the system under test. */
export interface SystemOptions {
  /** Names, in the order in which they were given. */
  system?: string[]
  config?: string
}

/** A system of our own, by its name, or one of a configuration. */
export type Chosen = string | System

export const nameOf = (chosen: Chosen): string => (typeof chosen === 'string' ? chosen : chosen.name)

/** The system that is tested when nothing says another one. */
const usual = 'hybrid'

/**
 * The systems that the options name, of the configuration (`--config`, or the leakrig.config.* of the current folder) and of
 * our own; without names all of the configuration, or our default.
 * @param otherwise another default
 * @throws UsageError for a configuration that cannot be used, and a name that nothing has
 */
export async function chosenSystems(
  { system: names = [], config }: SystemOptions,
  otherwise = usual,
): Promise<Chosen[]> {
  const file = config === undefined ? findConfig(currentFolder()) : inCurrentFolder(config)
  // Our own systems need no configuration, and may be tested beside one that is broken.
  const isOwn = names.length > 0 && names.every(name => systemNames.includes(name))
  const defined = file === undefined || (isOwn && config === undefined) ? [] : await definedIn(file)
  if (names.length === 0) return defined.length > 0 ? defined : [otherwise]
  return [...new Set(names)].map(name => {
    const found = defined.find(one => one.name === name) ?? systemNames.find(own => own === name)
    if (found !== undefined) return found
    const known = [...defined.map(one => one.name), ...systemNames]
    throw new UsageError(`--system ${JSON.stringify(name)} is refused: expected one of ${known.join(', ')}.`)
  })
}

/** The one system that the options name. @throws UsageError also where they name several */
export async function chosenSystem(options: SystemOptions, otherwise = usual): Promise<Chosen> {
  const [first, ...others] = await chosenSystems(options, otherwise)
  if (first !== undefined && others.length === 0) return first
  const names = [first, ...others].map(one => one && nameOf(one)).join(', ')
  throw new UsageError(
    `There are several systems (${names}), and scenarios test one: choose it with --system.`,
  )
}

async function definedIn(file: string): Promise<System[]> {
  try {
    return await readConfig(file)
  } catch (error) {
    throw error instanceof ConfigError ? new UsageError(error.message) : error
  }
}
