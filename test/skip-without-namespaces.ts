import { inject } from 'vitest'
import { needsNamespaces } from './namespaces.ts'

// `npm test` skips the scenarios without namespaces. `leakrig scenarios` does not set mayBeSkipped, so it fails instead.
if (inject('leakrig')?.mayBeSkipped) needsNamespaces()
