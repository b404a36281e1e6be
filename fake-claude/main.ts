// The first code that runs. It stays small, because only imports after enableCompileCache come from the cache, which also
// keeps the stripped types (50 ms less for every start). A bundle has a cache already.
import { writeFileSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

// process.execve is marked experimental; the real claude prints no such line.
process.removeAllListeners('warning')
// Node names its main thread MainThread, while ps, pgrep and cleanups expect `claude`.
writeFileSync('/proc/self/comm', 'claude')
enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/fake-claude'))

const { run } = await import('./run.ts')
await run(process.argv.slice(2))
