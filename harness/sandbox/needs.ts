import { CannotMeasureError } from '../errors.ts'

/** What a system under test needs in its sandbox beside the rig's own files. */
export interface SandboxNeeds {
  /** Folders and files of this machine that the sandbox shows under their own paths, read-only. */
  mounts?: readonly string[]
  /** The image of a container, in place of the rig's own. A namespace sandbox has none. */
  image?: string | undefined
}

/** A need that no sandbox of the chosen kind can meet. The message says which one and what to do. */
export class WrongNeed extends CannotMeasureError {
  override name = 'WrongNeed'
}

/**
 * @throws WrongNeed for an image that can be none
 */
export function requireImageName(image: string | undefined): void {
  if (image === undefined || (/^[\w][\w./:@-]*$/.test(image) && image.length < 500)) return
  throw new WrongNeed(
    `${JSON.stringify(image)} is no name of an image: expected one as "docker run" takes it, such as me/mine:1.`,
  )
}

/**
 * @throws WrongNeed for needs that a namespace sandbox cannot meet
 */
export function requireNoImage({ image }: SandboxNeeds): void {
  if (image === undefined) return
  throw new WrongNeed(
    `The namespace sandbox has no image, so ${JSON.stringify(image)} cannot be used there: use --sandbox container, or leave --image out.`,
  )
}
