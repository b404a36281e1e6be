import { Run } from './claude.ts'

/** A claude with a shape and no other children. */
export function shaped(words: string, options: { env?: Record<string, string> } = {}): Run {
  return new Run({ directive: `persona=works bash=0 events=1 shape=${words}`, ...options })
}

/** The pid of the one process that has this role, once claude has set up its shape. */
export async function made(run: Run, role: string): Promise<number> {
  await run.noted('idle')
  const [pid] = run.made(role)
  if (pid === undefined) throw new Error(`the journal names no ${role}: ${JSON.stringify(run.journal)}`)
  return pid
}
