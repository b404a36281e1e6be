import { delimiter, join } from 'node:path'
import { programFile, projectRoot } from '../../bin/programs.ts'
import { placesBelow } from '../probe/places.ts'
import { wrapperFolder } from './claude/wrapper.ts'

/**
 * The environment inside a sandbox, which takes only `path` from the caller's. The first `claude` on it is the fake one.
 * @param shown what the sandbox shows of this machine beside the project
 * @param install the folder that the install step has filled
 */
export function sandboxEnvironment(
  path: string,
  shown: readonly string[] = [],
  install?: string,
): Record<string, string> {
  const { home, tmux } = placesBelow('/tmp')
  const claude = programFile('fake-claude/main')
  return {
    PATH: [wrapperFolder, path].join(delimiter),
    HOME: home,
    TMUX_TMPDIR: tmux,
    LEAKRIG_CLAUDE: join(wrapperFolder, 'claude'),
    LEAKRIG_KEEP: JSON.stringify([projectRoot, ...shown]),
    // Otherwise unbundled sources would store compiled code in the sandbox's home. This folder is only read there.
    ...(claude.endsWith('.ts') && {
      NODE_COMPILE_CACHE: join(projectRoot, 'node_modules/.cache/leakrig/sources'),
    }),
    ...(install !== undefined && { LEAKRIG_INSTALL: install }),
    LANG: 'C.UTF-8',
    SHELL: '/bin/bash',
    TERM: 'xterm-256color',
    // The real claude refuses to skip permissions as root elsewhere.
    IS_SANDBOX: '1',
  }
}
