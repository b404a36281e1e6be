import { createHash } from 'node:crypto'
import type { ImageInspectInfo } from 'dockerode'
import { CannotMeasureError } from '../../errors.ts'
import { printable } from '../../terminal.ts'
import { requireCoverable } from '../claude/covers.ts'
import { putWrappers } from '../claude/in-image.ts'
import { archive, type CopiedFile, versionOf } from '../copied-files.ts'
import { resolveMounts } from '../mounts.ts'
import { type SandboxNeeds, WrongNeed } from '../needs.ts'
import { BuildFailure, type Dockerode, followBuild, inspected } from './build.ts'
import type { Engine } from './engine.ts'
import { ensureImage } from './image.ts'
import { ensureInstallImage } from './install-image.ts'
import { noteUse, ownImageLabel, removeOldImages } from './own-images.ts'
import { placeInContainer, type RunFiles, runFiles } from './rig-files.ts'

/** The image of a sandbox, with everything in it that a run needs. */
export interface RunImage extends Omit<RunFiles, 'files'> {
  name: string
  /** The PATH of the image's own environment. */
  path: string
  /** Whom its processes run as: the image's user, or one without rights in place of root. */
  user: string
}

const usualPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** The bundles use what came with this version. */
const oldestNode = '22.22'

/**
 * Makes the image of a sandbox, unless there is one with exactly these files: nothing of this machine is mounted, since the
 * engine may run on another one. In an image they cost nothing at the start of a container.
 * @throws CannotMeasureError when the image cannot be built, or lacks the right Node
 * @throws WrongNeed for something that cannot be copied, or not into that image
 */
export async function ensureRunImage(engine: Engine, needs: SandboxNeeds): Promise<RunImage> {
  const { dockerode } = engine.container
  const { from, base } = await baseFor(engine, needs)
  const { files, ...rest } = runFiles(needs)
  requireNoVolume(from, base, files)
  const dockerfile = dockerfileFor(from, [userOf(base), ...claudesIn(needs)])
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
  return { name, path: pathOf(base), user: userOf(base), ...rest }
}

/** The image without the rig's files, and what the engine knows of it. */
async function baseFor(engine: Engine, { image, install }: SandboxNeeds) {
  const { dockerode } = engine.container
  const from = image ?? (await ensureImage(engine))
  const base = (await inspected(dockerode, from)) ?? (await pulled(engine, from))
  if (!install) return { from, base }
  const installed = await ensureInstallImage(engine, install, from, base)
  return { from: installed, base: await dockerode.getImage(installed).inspect() }
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

/** @throws CannotMeasureError when it is on no registry that the engine reaches */
async function pulled(engine: Engine, name: string): Promise<ImageInspectInfo> {
  const { ImageName } = await import('testcontainers')
  const reason = await engine.image.pull(ImageName.fromString(name)).then(() => 'nothing came', String)
  const image = await inspected(engine.container.dockerode, name)
  if (image) return image
  throw new CannotMeasureError(
    `The image ${name} is not on the container engine and cannot be pulled (${printable(reason).slice(0, 300)}): build or pull it there, or name another.`,
  )
}

/** A volume would hide what an image has below it. */
function requireNoVolume(from: string, { Config }: ImageInspectInfo, files: readonly CopiedFile[]): void {
  for (const volume of Object.keys(Config.Volumes ?? {})) {
    const hidden = files.find(({ path, source }) => source !== undefined && path.startsWith(`${volume}/`))
    if (hidden && !volume.startsWith('/tmp'))
      throw new WrongNeed(
        `The image ${from} declares the volume ${volume}, where the sandbox needs ${hidden.path}: build it without that volume.`,
      )
  }
}

function sentence(error: unknown, from: string): string {
  const reason = error instanceof Error ? error.message : String(error)
  const noBash = /exec: "bash"|executable file .?bash/.test(reason) && 'has no bash'
  const wrong = noBash || (error instanceof BuildFailure && /^leakrig: (.*)$/m.exec(error.output)?.[1])
  if (wrong)
    return `The image ${from} ${printable(wrong)}, and the rig needs bash, sh and Node ${oldestNode} or newer on its PATH: put them there.`
  return `The rig’s files could not be copied into the image ${from} (${printable(reason).slice(0, 300)}): check the container engine, or use --sandbox namespace.`
}

/** The check of Node comes before the files: its result holds for every version of them. `-p` keeps bash from BASH_ENV. */
function dockerfileFor(from: string, words: string[]): string {
  const check = `
command -v sh >/dev/null || { echo 'leakrig: has no sh'; exit 1; }
version=$({ NODE_OPTIONS= node -p process.versions.node; } 2>/dev/null) || { echo 'leakrig: has no node'; exit 1; }
IFS=. read -r major minor _ <<<"$version"
IFS=. read -r oldest least <<<${oldestNode}
((major > oldest || major == oldest && minor >= least)) || { echo "leakrig: has Node $version"; exit 1; }`
  const run = (...command: string[]) => `RUN ${JSON.stringify(['bash', '-p', '-c', ...command])}`
  const put = ['USER root', run(putWrappers, 'bash', ...words)]
  return [`FROM ${from}`, run(check), 'COPY files/ /', ...put, ''].join('\n')
}

/** @throws WrongNeed for a path at which no claude can be covered */
function claudesIn({ covers = [], mounts = [] }: SandboxNeeds): string[] {
  requireCoverable(covers, resolveMounts(mounts).paths)
  return covers.map(placeInContainer)
}

function userOf({ Config: { User } }: ImageInspectInfo): string {
  return ['', '0', 'root'].includes(User?.split(':')[0] ?? '') ? '1000:1000' : User
}

function pathOf({ Config }: ImageInspectInfo): string {
  const variable = Config.Env?.find(one => one.startsWith('PATH='))
  return variable?.slice('PATH='.length) || usualPath
}
