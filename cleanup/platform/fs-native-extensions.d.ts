/** The part of fs-native-extensions that we use; the package has no types. Offsets and lengths in bytes. */
declare module 'fs-native-extensions' {
  /** Acquires an open-file-description lock on a range. False when another open file description holds a conflicting one. */
  export function tryLock(fd: number, offset: number, length: number, options: { shared: boolean }): boolean
}
