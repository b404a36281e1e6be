import type { ImageInspectInfo } from 'dockerode'
import { CannotMeasureError } from '../../errors.ts'
import { printProblem } from '../../terminal.ts'
import { archive, withFoldersAbove } from '../copied-files.ts'
import { checkStep, failureOf } from '../install/key.ts'
import { withLock } from '../install/lock.ts'
import { installsFolder } from '../install/on-host.ts'
import type { InstallStep } from '../needs.ts'
import { BuildFailure, followBuild, inspected } from './build.ts'
import type { Engine } from './engine.ts'
import { noteUse, ownImageLabel, removeOldImages } from './own-images.ts'

/** The value of LEAKRIG_INSTALL in a container. */
export const installedInContainer = '/opt/leakrig/install'

/**
 * The image that an install step makes of another one, unless it is there. Of several rigs that want it at once, one runs the
 * step.
 * @throws CannotMeasureError when the step fails
 * @throws WrongNeed for a step that cannot be run
 */
export async function ensureInstallImage(
  { container: { dockerode } }: Engine,
  given: InstallStep,
  from: string,
  base: ImageInspectInfo,
): Promise<string> {
  const step = checkStep(given, ['container', base.Id])
  const name = `leakrig-install:${step.hash}`
  const isThere = async () => {
    const there = await inspected(dockerode, name)
    if (there) await noteUse(dockerode, name, there)
    return there !== undefined
  }
  if (await isThere()) return name
  return withLock(installsFolder(), step.hash, async () => {
    if (await isThere()) return name
    printProblem(`running the install step in the image ${from}, once: ${step.run}`)
    // Both outputs are one: the engine reads two at different times, and changes the order of the lines.
    const prepare =
      'exec 2>&1 && mkdir -p "$1" "$2" && cd "$2" && export LEAKRIG_INSTALL=$1 && exec bash -c "$3"'
    const words = [
      'bash',
      '-c',
      prepare,
      'bash',
      installedInContainer,
      step.cwd ?? installedInContainer,
      step.run,
    ]
    const lines = [`FROM ${from}`, 'USER 0', 'COPY files/ /', `RUN ${JSON.stringify(words)}`]
    const dockerfile = [...lines, `USER ${base.Config.User || '0'}`, ''].join('\n')
    const context = await archive('files', withRoot(step.inputs), { Dockerfile: dockerfile })
    const options = { t: name, forcerm: true, labels: ownImageLabel('install') }
    try {
      await followBuild(dockerode, await dockerode.buildImage(context, options))
    } catch (error) {
      throw failed(step.run, error)
    }
    await removeOldImages(dockerode)
    return name
  })
}

/** COPY needs its folder even where nothing is copied. */
const withRoot = (inputs: Parameters<typeof withFoldersAbove>[0]) => [
  { path: '/', type: 'directory', mode: 0o755, version: '' } as const,
  ...withFoldersAbove(inputs),
]

/** The engine's own lines in the output of a build. */
const ofEngine = /^(?:Step \d+\/\d+ : .*| ---> .*|Removing intermediate container .*|)$/

function failed(run: string, error: unknown): CannotMeasureError {
  if (error instanceof CannotMeasureError) return error
  const reason = error instanceof Error ? error.message : String(error)
  const code = /non-zero code: (\d+)$/.exec(reason)?.[1]
  const printed = error instanceof BuildFailure ? error.output.split('\n') : []
  const output = printed.filter(line => !ofEngine.test(line))
  return failureOf(run, `failed (${code === undefined ? reason : `exit code ${code}`})`, output.join('\n'))
}
