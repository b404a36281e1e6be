import { beforeEach } from 'vitest'

/**
 * Skips every test of the `describe` or file that calls it where something is not there, and says what. `runIf` and
 * `skipIf` would leave the reason out.
 */
export function needs(what: string, isThere: boolean): void {
  beforeEach(({ skip }) => skip(!isThere, `it needs ${what}`))
}
