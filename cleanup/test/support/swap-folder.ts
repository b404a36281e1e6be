// Exchanges a folder for a link and back, as fast as it can: `exchange.ts <folder> <where the link leads>`.
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

/** Somebody may have made the folder anew while it was missing, and may be at work in it. */
function replaceBy(other: string): void {
  while (!isDone(() => fs.renameSync(other, folder)))
    isDone(() => fs.rmSync(folder, { recursive: true, force: true }))
}

function isDone(step: () => void): boolean {
  try {
    step()
    return true
  } catch {
    return false
  }
}
