import type { ImageInspectInfo } from 'dockerode'
import type { ContainerRuntimeClient } from 'testcontainers'

export type Dockerode = ContainerRuntimeClient['container']['dockerode']

/** A build that an engine has ended with an error. */
export class BuildFailure extends Error {
  override name = 'BuildFailure'
  /** What the build printed, with the engine's own lines between. */
  readonly output: string

  constructor(reason: string, output: string) {
    super(reason)
    this.output = output
  }
}

/**
 * Follows a build to its end. An engine gives up a build whose client disconnects.
 * @throws BuildFailure when a step fails, which is no error of the stream but a line in it
 */
export async function followBuild(dockerode: Dockerode, progress: NodeJS.ReadableStream): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    dockerode.modem.followProgress(progress, (error, lines: { stream?: string; error?: string }[] | null) => {
      const output = (lines ?? []).map(({ stream = '' }) => stream).join('')
      const failed = error?.message ?? lines?.find(line => line.error)?.error
      if (failed === undefined) resolve()
      else reject(new BuildFailure(failed, output))
    })
  })
}

/** What an engine knows of an image; undefined if it has none of that name. */
export function inspected(dockerode: Dockerode, name: string): Promise<ImageInspectInfo | undefined> {
  return dockerode
    .getImage(name)
    .inspect()
    .catch(error => {
      if (error?.statusCode === 404) return undefined
      throw error
    })
}
