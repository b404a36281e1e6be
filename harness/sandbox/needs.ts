import { CannotMeasureError } from '../errors.ts'

/** What a system under test needs in its sandbox beside the rig's own files. */
export interface SandboxNeeds {
  /** Folders and files of this machine that the sandbox shows under their own paths, read-only. */
  mounts?: readonly string[]
  /** Absolute paths of claudes that the system starts by their path. The fake one takes their place. */
  covers?: readonly string[]
  /** The image of a container, in place of the rig's own. A namespace sandbox has none. */
  image?: string | undefined
  install?: InstallStep | undefined
  /** Addresses of container engines over which sandboxes are spread, in place of the one that is found. */
  engines?: readonly string[] | undefined
}

/**
 * A command that runs once, outside of any scenario and with network where there is one. Its result is kept, and used
 * until something of this changes or nobody uses it for 30 days.
 */
export interface InstallStep {
  /**
   * For bash. It puts everything into the folder that the variable LEAKRIG_INSTALL names, and a sandbox shows that folder
   * read-only under the same path and with the same variable. In a container it runs as root and may change the system, too.
   */
  run: string
  /** Folders and files that it reads. In a container it sees nothing else of this machine. */
  inputs?: readonly string[]
  /** Where it runs; by default in the folder of LEAKRIG_INSTALL. */
  cwd?: string
}

/** A need that no sandbox of the chosen kind can meet. The message says which one and what to do. */
export class WrongNeed extends CannotMeasureError {
  override name = 'WrongNeed'
}

/** An install step has failed. Another kind of sandbox is not tried then. */
export class InstallFailure extends CannotMeasureError {
  override name = 'InstallFailure'
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

/** @throws WrongNeed for an address that can be none, one that is named twice, and a sandbox that has no engine */
export function requireEngineAddresses(engines: readonly string[], isNamespace: boolean): void {
  const wrong = engines.find(address => !/^unix:\/\/\/.+|^(?:tcp|http):\/\/[^/:]+:\d+\/?$/.test(address))
  if (wrong !== undefined)
    throw new WrongNeed(
      `--engine ${JSON.stringify(wrong)} is refused: expected unix:///path or tcp://name:port.`,
    )
  const twice = engines.find((address, at) => engines.indexOf(address) < at)
  if (twice !== undefined) throw new WrongNeed(`--engine ${twice} is given twice: name each engine once.`)
  if (isNamespace && engines.length > 0)
    throw new WrongNeed(
      'The namespace sandbox has no container engine: use --sandbox container, or leave --engine out.',
    )
}
