// Swaps a folder for a symbolic link and back, in a loop without pauses: `swap-folder.ts <folder> <target of the link>`.
import fs from 'node:fs'

const [folder = '', target = ''] = process.argv.slice(2)
const [aside, link] = [`${folder}.aside`, `${folder}.link`]
fs.symlinkSync(target, link)
console.log('begins')
for (;;) {
  fs.renameSync(folder, aside)
  replaceBy(link)
  fs.renameSync(folder, link)
  replaceBy(aside)
}

/** Removes the folder first if another process recreated it while it was missing. That process may still write into it. */
function replaceBy(other: string): void {
  while (!succeeds(() => fs.renameSync(other, folder)))
    succeeds(() => fs.rmSync(folder, { recursive: true, force: true }))
}

function succeeds(step: () => void): boolean {
  try {
    step()
    return true
  } catch {
    return false
  }
}
