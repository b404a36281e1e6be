import { existsSync, watch } from 'node:fs'
import { dirname } from 'node:path'
import type { Claude } from '../../process/claude.ts'

/** Waits until the rig has created the gate's file. */
export async function gate({ settings, note }: Claude): Promise<void> {
  const path = settings.gate
  if (path === undefined) return
  note('waiting', { path })
  if (!existsSync(path))
    await new Promise<void>(open => {
      const watcher = watch(dirname(path), check)
      // The file may have been created before the watch began.
      check()
      function check(): void {
        if (!existsSync(path as string)) return
        watcher.close()
        open()
      }
    })
  note('gate', { path })
}
