import { existsSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { callOf, isPackage } from '../../../bin/programs.ts'
import { makeFolder } from '../../make-folder.ts'
import { findConfig } from '../../systems/config-file.ts'
import { print } from '../../terminal.ts'
import { currentFolder } from '../current-folder.ts'
import { UsageError } from '../exit.ts'
import { readJson } from '../read-form.ts'
import { configText, type Kind, kinds, scenarioText } from './templates.ts'

const names = Object.keys(kinds) as Kind[]

/**
 * Begins a configuration in the current folder, and in a project with the package a scenario; asks for the kind of the system
 * where none is given. Writes over nothing.
 * @throws UsageError where there is a configuration already, or nobody can be asked
 */
export async function init(kind: Kind | undefined): Promise<void> {
  const folder = currentFolder()
  const there = findConfig(folder)
  if (there) throw new UsageError(`${there} is there already: change it, or remove it first.`)
  const chosen = kind ?? (await ask())
  const name = `leakrig.config.${isOfModules(folder) ? 'ts' : 'mts'}`
  const files: [string, string][] = [[name, configText(chosen)]]
  // In a clone, the scenarios of the clone are run.
  if (isPackage) files.push(['leakrig/kill.test.ts', scenarioText])
  for (const [name, text] of files) write(join(folder, name), text)
  print(`\nNext: put your own calls into ${name}, then run\n  ${callOf('scenarios')} manual`)
}

/** Whether a .ts file in the folder is an ES module, by the nearest package.json above. */
function isOfModules(folder: string): boolean {
  const file = join(folder, 'package.json')
  if (existsSync(file)) return (readJson(file) as { type?: unknown } | null)?.type === 'module'
  return folder !== dirname(folder) && isOfModules(dirname(folder))
}

function write(file: string, text: string): void {
  if (existsSync(file)) {
    print(`kept ${file}, which is there already`)
    return
  }
  try {
    makeFolder(dirname(file))
    writeFileSync(file, text, { flag: 'wx' })
  } catch (error) {
    throw new UsageError(
      `${file} cannot be written (${(error as Error).message}): call this in a folder that takes new files.`,
    )
  }
  print(`wrote ${file}`)
}

async function ask(): Promise<Kind> {
  if (!process.stdin.isTTY || !process.stdout.isTTY)
    throw new UsageError(
      `init needs to know the kind of your system: write "init ${names.join('", or "init ')}".`,
    )
  print('How are agents started and ended?')
  for (const [at, name] of names.entries()) print(`  ${at + 1}  ${name.padEnd(7)} ${kinds[name]}`)
  const input = createInterface({ input: process.stdin, output: process.stdout })
  try {
    for (;;) {
      const answer = (await input.question('1, 2 or 3: ')).trim()
      const found = names[Number(answer) - 1] ?? names.find(name => name === answer)
      if (found) return found
    }
  } finally {
    input.close()
  }
}
