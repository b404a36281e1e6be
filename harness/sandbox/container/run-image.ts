import { createHash } from 'node:crypto'
import type { ImageInspectInfo } from 'dockerode'
import type { ContainerRuntimeClient } from 'testcontainers'
import { CannotMeasureError } from '../../errors.ts'
import { printable } from '../../terminal.ts'
import type { SandboxNeeds } from '../needs.ts'
import { BuildFailure, type Dockerode, followBuild } from './build.ts'
import { archive, versionOf } from './files.ts'
import { ensureImage } from './image.ts'
import { noteUse, ownImageLabel, removeOldImages } from './own-images.ts'
import { type RunFiles, runFiles } from './rig-files.ts'

/** The image of a sandbox, with everything in it that a run needs. */
export interface RunImage extends Omit<RunFiles, 'files'> {
  name: string
  /** The PATH of the image's own environment. */
  path: string
}

const usualPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** The bundles use what came with this version. */
const oldestNode = '22.22'

/**
 * Makes the image of a sandbox, unless there is one with exactly these files: nothing of this machine is mounted, since the
 * engine may run on another one. In an image they cost nothing at the start of a container.
 * @throws CannotMeasureError when the image cannot be built, or lacks the right Node
 * @throws WrongNeed for something that cannot be copied
 */
export async function ensureRunImage(engine: ContainerRuntimeClient, needs: SandboxNeeds): Promise<RunImage> {
  const { dockerode } = engine.container
  const from = await ensureImage(engine)
  const base = await dockerode.getImage(from).inspect()
  const { files, ...rest } = runFiles(needs)
  const dockerfile = dockerfileFor(from)
  const hash = createHash('sha256')
    .update(`${base.Id}\n${dockerfile}\n${versionOf(files)}`)
    .digest('hex')
  const name = `leakrig-run:${hash.slice(0, 12)}`
  const there = await inspected(dockerode, name)
  if (there) await noteUse(dockerode, name, there)
  else {
    const context = await archive('files', files, { Dockerfile: dockerfile })
    await build(dockerode, name, from, context)
    await removeOldImages(dockerode)
  }
  return { name, path: pathOf(base), ...rest }
}

async function build(
  dockerode: Dockerode,
  name: string,
  from: string,
  context: NodeJS.ReadableStream,
): Promise<void> {
  const options = { t: name, networkmode: 'none', forcerm: true, labels: ownImageLabel('run') }
  try {
    await followBuild(dockerode, await dockerode.buildImage(context, options))
  } catch (error) {
    if (error instanceof CannotMeasureError) throw error
    throw new CannotMeasureError(sentence(error, from))
  }
}

function sentence(error: unknown, from: string): string {
  const wrong = error instanceof BuildFailure && /^leakrig: (.*)$/m.exec(error.output)?.[1]
  const reason = error instanceof Error ? error.message : String(error)
  if (wrong)
    return `The image ${from} ${printable(wrong)}, and the rig needs Node ${oldestNode} or newer on its PATH: put one there.`
  return `The rig’s files could not be copied into the image ${from} (${printable(reason).slice(0, 300)}): check the container engine, or use --sandbox namespace.`
}

/** The check of Node comes before the files: its result holds for every version of them. */
function dockerfileFor(from: string): string {
  const check = `
version=$(node -p process.versions.node) || { echo 'leakrig: has no node'; exit 1; }
IFS=. read -r major minor _ <<<"$version"
IFS=. read -r oldest least <<<${oldestNode}
((major > oldest || major == oldest && minor >= least)) || { echo "leakrig: has Node $version"; exit 1; }`
  return [`FROM ${from}`, `RUN ${JSON.stringify(['bash', '-c', check])}`, 'COPY files/ /', ''].join('\n')
}

async function inspected(dockerode: Dockerode, name: string): Promise<ImageInspectInfo | undefined> {
  return dockerode
    .getImage(name)
    .inspect()
    .catch(error => {
      if (error?.statusCode === 404) return undefined
      throw error
    })
}

function pathOf({ Config }: ImageInspectInfo): string {
  const variable = Config.Env?.find(one => one.startsWith('PATH='))
  return variable?.slice('PATH='.length) || usualPath
}
