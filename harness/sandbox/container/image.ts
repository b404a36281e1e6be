import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../../../bin/programs.ts'
import { CannotMeasureError } from '../../errors.ts'
import { printable, printProblem } from '../../terminal.ts'
import { followBuild } from './build.ts'
import type { Engine } from './engine.ts'
import { ownImageLabel } from './own-images.ts'

/**
 * The system of a sandbox, without any files of ours. The image is named after a hash of the Dockerfile and its base, so
 * that it is built only when one of the two has changed.
 * @throws CannotMeasureError when it cannot be built, with the builder's last output
 */
export async function ensureImage(engine: Engine): Promise<string> {
  const base = process.env.LEAKRIG_BASE_IMAGE
  const name = `leakrig-sandbox:${contentHash(base)}`
  const { ImageName } = await import('testcontainers')
  if (await engine.image.exists(ImageName.fromString(name))) return name
  printProblem(`building the image ${name}, once ...`)
  const { dockerode } = engine.container
  try {
    const args = base ? { BASE: base } : {}
    const options = { t: name, target: 'sandbox', buildargs: args, labels: ownImageLabel('system') }
    const context = await dockerode.buildImage({ context: projectRoot, src: ['Dockerfile'] }, options)
    await followBuild(dockerode, context)
    return name
  } catch (error) {
    throw new CannotMeasureError(
      `The image ${name} could not be built (${printable(error instanceof Error ? error.message : String(error)).slice(0, 300)}): where no registry can be reached, run \`npm run base-image\` and set LEAKRIG_BASE_IMAGE, or use --sandbox namespace.`,
    )
  }
}

function contentHash(base = ''): string {
  const dockerfile = readFileSync(join(projectRoot, 'Dockerfile'))
  return createHash('sha256').update(dockerfile).update(base).digest('hex').slice(0, 12)
}
