/** The part of tar-stream that we use; the package has no types. */
declare module 'tar-stream' {
  import type { Readable } from 'node:stream'

  export interface Header {
    name: string
    type: 'file' | 'directory' | 'symlink'
    mode: number
    linkname?: string
  }

  interface Pack extends Readable {
    /** `done` is called when the entry has been read from the pack, or with an error. */
    entry(header: Header, content: Buffer | string, done: (error?: Error | null) => void): void
    entry(header: Header, done: (error?: Error | null) => void): void
    finalize(): void
  }

  export function pack(): Pack
}
