import { delimiter, dirname } from 'node:path'
import { programFile } from '../../bin/programs.ts'
import { placesBelow } from '../probe/places.ts'
import { projectRoot } from './project.ts'

/** The environment inside a sandbox. Nothing of the caller's gets in but `path`; `claude` on it is the fake one. */
export function sandboxEnvironment(path: string): Record<string, string> {
  const { home, tmux } = placesBelow('/tmp')
  return {
    PATH: [dirname(programFile('fake-claude/main')), path].join(delimiter),
    HOME: home,
    TMUX_TMPDIR: tmux,
    LEAKRIG_KEEP: projectRoot,
    LANG: 'C.UTF-8',
    SHELL: '/bin/bash',
    TERM: 'xterm-256color',
    // The real claude refuses to skip permissions as root elsewhere.
    IS_SANDBOX: '1',
  }
}
