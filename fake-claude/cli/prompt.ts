import { fstatSync, openSync } from 'node:fs'
import { isatty } from 'node:tty'
import type { Flags } from './flags.ts'
import { refuse } from './refuse.ts'

// How long to wait for a silent pipe on stdin when the arguments have a prompt, ms. The real program does not wait for
// ever either.
const stdinWaitMs = 3000

/** The prompt from the argument, from stdin, or from both, joined with a newline. */
export async function readPrompt(flags: Flags): Promise<string> {
  const piped = isatty(0) ? '' : await readStdin(flags.prompt === undefined ? undefined : stdinWaitMs)
  const prompt = [flags.prompt, piped.trimEnd()].filter(Boolean).join('\n')
  if (!prompt) refuse('Error: --print needs a prompt, as an argument or on stdin')
  return prompt
}

async function readStdin(limit: number | undefined): Promise<string> {
  if (!isOpen(0)) return ''
  const chunks: Buffer[] = []
  await new Promise<void>(done => {
    const timer = limit && setTimeout(() => process.stdin.destroy(), limit)
    process.stdin
      .on('data', chunk => {
        if (timer) clearTimeout(timer)
        chunks.push(chunk)
      })
      .on('error', () => {})
      .on('close', () => {
        if (timer) clearTimeout(timer)
        done()
      })
      .on('end', () => process.stdin.destroy())
  })
  // Otherwise the next file that is opened would get descriptor 0 and be taken for stdin.
  if (!isOpen(0)) openSync('/dev/null', 'r')
  return Buffer.concat(chunks).toString()
}

function isOpen(fd: number): boolean {
  try {
    return Boolean(fstatSync(fd))
  } catch {
    return false
  }
}
