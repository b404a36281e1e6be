import { inject } from 'vitest'
import { needsNamespaces } from './namespaces.ts'

// In `npm test` only: `leakrig scenarios` could not measure then, and says so.
if (inject('leakrig').mayBeSkipped) needsNamespaces()
