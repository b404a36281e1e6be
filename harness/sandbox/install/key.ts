import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { printable } from '../../terminal.ts'
import { type CopiedFile, filesBelow } from '../copied-files.ts'
import { InstallFailure, type InstallStep, WrongNeed } from '../needs.ts'

/** An install step whose parts were checked. */
export interface CheckedStep {
  run: string
  cwd: string | undefined
  inputs: CopiedFile[]
  /** A hash of the step, the content of its inputs, and what it runs on. */
  hash: string
}

/**
 * @param runsOn what the result depends on besides the step: the kind of sandbox, the image
 * @throws WrongNeed for a step that cannot be run
 */
export function checkStep({ run, inputs = [], cwd }: InstallStep, runsOn: string[]): CheckedStep {
  if (run.trim() === '')
    throw new WrongNeed('The install step has an empty command: give one, or leave it out.')
  const paths = inputs.map(path => resolve(path))
  for (const path of paths)
    if (!statSync(path, { throwIfNoEntry: false }))
      throw new WrongNeed(
        `The input ${JSON.stringify(path)} of the install step does not exist: name a folder or a file that exists.`,
      )
  const files = filesBelow(paths)
  const hash = createHash('sha256').update(
    JSON.stringify([run, cwd, process.platform, process.arch, process.versions.modules, ...runsOn]),
  )
  for (const { path, type, mode, target, source } of files) {
    hash.update(`\n${JSON.stringify([path, type, mode, target])}\n`)
    if (type === 'file' && source !== undefined)
      hash.update(createHash('sha256').update(readFileSync(source)).digest())
  }
  return {
    run,
    cwd: cwd === undefined ? undefined : resolve(cwd),
    inputs: files,
    hash: hash.digest('hex').slice(0, 16),
  }
}

/** Says in one sentence how a step failed, with the end of what it printed. */
export function failureOf(run: string, how: string, output: string): InstallFailure {
  const end = printable(output.trim().split('\n').slice(-8).join('\n')).slice(-600)
  const command = printable(run).slice(0, 100)
  return new InstallFailure(
    `The install step ${JSON.stringify(command)} ${how}${end ? `, and printed: ${end}` : ''}: correct it and run again; nothing of it is kept.`,
  )
}
