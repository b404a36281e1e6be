import { join } from 'node:path'

/** A file below this folder. The bundle has those that are no TypeScript in the same places below its own folder. */
export const ownFile = (name: string): string => join(import.meta.dirname, name)
