/** The part we use of fs-native-extensions, which ships no types. Offsets and lengths in bytes. */
declare module 'fs-native-extensions' {
  /** Takes an open-file-description lock on a range; false when another open file description holds it, or, of a shared one, holds it alone. */
  export function tryLock(fd: number, offset: number, length: number, options: { shared: boolean }): boolean
}
