import { readdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { refuse } from './refuse.ts'

/** A directive that this claude took from the folder of orders. */
export interface Order {
  /** The file's name before it was claimed. */
  path: string
  text: string
}

/**
 * Claims the first order of a folder by renaming it to `<name>.claimed-<pid>`; the rename is atomic, so that two claudes never
 * get the same one. Undefined without a folder, or when no order is left. Whoever writes an order writes it under a name
 * that begins with a dot, and renames it.
 */
export function claimOrder(folder: string | undefined): Order | undefined {
  if (folder === undefined) return undefined
  for (const name of ordersIn(folder)) {
    const path = join(folder, name)
    const claimed = `${path}.claimed-${process.pid}`
    try {
      renameSync(path, claimed)
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (code === 'ENOENT') continue // Another claude was faster.
      refuse(`fake-claude: the order ${path} cannot be claimed (${message}): make its folder writable.`)
    }
    return { path, text: readFileSync(claimed, 'utf8') }
  }
  return undefined
}

function ordersIn(folder: string): string[] {
  try {
    const files = readdirSync(folder, { withFileTypes: true }).filter(entry => entry.isFile())
    const names = files.map(({ name }) => name)
    return names.filter(name => !name.startsWith('.') && !/\.claimed-\d+$/.test(name)).sort()
  } catch {
    // Nobody has given an order here.
    return []
  }
}
