import { CannotMeasureError } from '../errors.ts'

/** What a system under test needs in its sandbox beside the rig's own files. */
export interface SandboxNeeds {
  /** Folders and files of this machine that the sandbox shows under their own paths, read-only. */
  mounts?: readonly string[]
}

/** A need that no sandbox of the chosen kind can meet. The message says which one and what to do. */
export class WrongNeed extends CannotMeasureError {
  override name = 'WrongNeed'
}
