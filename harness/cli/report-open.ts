import { pathToFileURL } from 'node:url'
import { print, printProblem } from '../terminal.ts'
import { inCurrentFolder } from './current-folder.ts'
import { pageOf } from './report-folder.ts'

/**
 * Opens the page of a report in the user's browser, and prints where it is. Nothing but the page's address is passed on, and it
 * is no word of a shell.
 * @throws UsageError for a folder without a report
 */
export async function openReport(folder: string): Promise<void> {
  const page = pageOf(inCurrentFolder(folder))
  print(page)
  if (!hasDisplay()) return printProblem('There is no display here: open this file in a browser.')
  try {
    const { default: open } = await import('open')
    await open(pathToFileURL(page).href)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    printProblem(`No browser could be started (${reason}): open this file in one.`)
  }
}

/** Windows and macOS have one always, and so has a Linux below Windows. */
function hasDisplay(): boolean {
  const { DISPLAY, WAYLAND_DISPLAY, WSL_DISTRO_NAME } = process.env
  return process.platform !== 'linux' || Boolean(DISPLAY || WAYLAND_DISPLAY || WSL_DISTRO_NAME)
}
