import { registerHooks } from 'node:module'

/** What `leakrig/config` is when a configuration runs: everything else in it are types. */
const source = 'export const defineSystem = definition => definition'

/**
 * From now on `leakrig/config` can be imported from anywhere: a configuration may lie where no package leads to this one,
 * such as beside a global installation, or in a sandbox that does not show it.
 */
let isRegistered = false

export function resolveConfigEntry(): void {
  if (isRegistered) return
  isRegistered = true
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier !== 'leakrig/config') return next(specifier, context)
      return {
        url: `data:text/javascript,${encodeURIComponent(source)}`,
        format: 'module',
        shortCircuit: true,
      }
    },
  })
}
