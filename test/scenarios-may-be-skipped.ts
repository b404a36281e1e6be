import { inject } from 'vitest'
import { needsNamespaces } from './namespaces.ts'

// Only for `npm test`: `leakrig scenarios` reports that it could not measure.
if (inject('leakrig').mayBeSkipped) needsNamespaces()
