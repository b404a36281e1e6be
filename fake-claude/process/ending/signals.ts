import type { Cause, Profile } from '../../profiles.ts'
import type { Note } from '../session/journal.ts'

export type Handled = Exclude<Cause, 'exit'>

/** Listens for the signals that this version handles. Signals after the first are only recorded. */
export function listen(profile: Profile, note: Note, first: (signal: Handled) => void): void {
  let ending = false
  for (const signal of handled(profile))
    process.on(signal, () => {
      note('signal', { signal })
      if (!ending) first(signal)
      ending = true
    })
  // Node ignores SIGPIPE by itself.
  for (const signal of ['SIGTTIN', 'SIGTTOU'] as const) process.on(signal, () => {})
}

/** From here on each of these signals has the kernel's default effect. */
export function stopListening(profile: Profile): void {
  for (const signal of handled(profile)) process.removeAllListeners(signal)
}

export function handled(profile: Profile): Handled[] {
  return (Object.keys(profile.endings) as Cause[]).filter(cause => cause !== 'exit')
}
