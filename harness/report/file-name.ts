import { relative } from 'node:path'
import { projectRoot, userFolder } from '../../bin/programs.ts'

/** The name of a test file for people: from our own folder for our tests, otherwise from the user's. */
export const fileName = (path: string): string =>
  relative(path.startsWith(`${projectRoot}/`) ? projectRoot : userFolder, path)
