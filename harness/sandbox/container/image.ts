import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ContainerRuntimeClient } from 'testcontainers'
import { projectRoot } from '../../../bin/programs.ts'
import { CannotMeasureError } from '../../errors.ts'
import { printable, printProblem } from '../../terminal.ts'

/**
 * The sandbox's image. It is named after a hash of the Dockerfile and its base, so that it is built only when one of the
 * two has changed.
 * @throws CannotMeasureError when it cannot be built, with the builder's last output
 */
export async function ensureImage(engine: ContainerRuntimeClient): Promise<string> {
  const base = process.env.LEAKRIG_BASE_IMAGE
  const name = `leakrig-sandbox:${contentHash(base)}`
  const { ImageName } = await import('testcontainers')
  if (await engine.image.exists(ImageName.fromString(name))) return name
  printProblem(`building the image ${name}, once ...`)
  try {
    await build(engine, name, base)
    return name
  } catch (error) {
    throw new CannotMeasureError(
      `The image ${name} could not be built (${printable(String(error)).slice(0, 300)}): where no registry can be reached, run \`npm run base-image\` and set LEAKRIG_BASE_IMAGE, or use --sandbox namespace.`,
    )
  }
}

/** Uses the engine's client directly, because the builder of Testcontainers hides the build output. */
async function build(
  { container }: ContainerRuntimeClient,
  name: string,
  base: string | undefined,
): Promise<void> {
  const { dockerode } = container
  const options = { t: name, target: 'sandbox', buildargs: base ? { BASE: base } : {} }
  const stream = await dockerode.buildImage({ context: projectRoot, src: ['Dockerfile'] }, options)
  await new Promise<void>((resolve, reject) => {
    // A build step that fails is no error of the stream but a line in it.
    dockerode.modem.followProgress(stream, (error, lines) => {
      const failed = error ?? lines.find(line => line.error)?.error
      if (failed) reject(failed)
      else resolve()
    })
  })
}

function contentHash(base = ''): string {
  const dockerfile = readFileSync(join(projectRoot, 'Dockerfile'))
  return createHash('sha256').update(dockerfile).update(base).digest('hex').slice(0, 12)
}
