import { join } from 'node:path'
import { placesBelow } from '../../probe/places.ts'

/** Where the wrappers lie in every sandbox: not below /tmp, where some orchestrators accept no claude. */
export const wrapperFolder = '/opt/leakrig/bin'

/** The folders of the system in whose place the wrappers are found, too: a login shell's PATH has no other. */
export const wrappedFolders = ['/usr/local/bin', '/usr/bin']

/** What is baked into the wrappers, as it lies in the sandbox. */
export interface WrapperParts {
  /** The Node that runs the fake claude. */
  node: string
  /** The fake claude. */
  program: string
  /** The npx for every other package; undefined without one. */
  npx?: string | undefined
}

/** A file with its text, which may be executed. */
export type Script = [path: string, text: string]

/**
 * The programs that a sandbox has in place of `claude` and `npx`. They need nothing of their environment. Each is a script
 * for bash, and for Node in case that somebody starts it as `node .../cli.js`: bash takes the first line for `:` with
 * arguments, Node for a string and a comment.
 */
export function wrappers(parts: WrapperParts): Script[] {
  return [
    [join(wrapperFolder, 'claude'), claude(parts)],
    [join(wrapperFolder, 'npx'), npx(parts)],
  ]
}

/** IS_SANDBOX: the user of a sandbox is root only inside of it, and the real claude refuses to skip permissions as root elsewhere. */
const claude = ({ node, program }: WrapperParts): string => `#!/bin/bash
':' /* The fake claude of the sandbox of leakrig.
export FAKE_CLAUDE_PATH=$0 FAKE_CLAUDE_ORDERS=${quoted(orders)} IS_SANDBOX=1
exec -a claude ${quoted(node)} ${quoted(program)} "$@"
*/
const { argv, env, execve } = process
if (!execve) {
  console.error('claude (fake): Node ' + process.version + ' cannot start it, only 24.15 or newer: start it without node.')
  process.exit(1)
}
Object.assign(env, { FAKE_CLAUDE_PATH: argv[1], FAKE_CLAUDE_ORDERS: ${JSON.stringify(orders)}, IS_SANDBOX: '1' })
execve(${JSON.stringify(node)}, ['claude', ${JSON.stringify(program)}, ...argv.slice(2)], env)
`

const orders = join(placesBelow('/tmp').own, 'orders')

/**
 * As npm 11.19 starts a package's program (measured): npx becomes the parent of \`sh -c 'claude' ...\`, passes INT and TERM on
 * to that shell alone, and ends as the shell does. So claude survives a TERM, HUP or KILL of its npx.
 */
const npx = ({ node, npx: real }: WrapperParts): string => `#!/bin/bash
':' /* npx of the sandbox of leakrig: @anthropic-ai/claude-code is the fake claude, and all else goes to the real npx.
package= words=("$@")
while (($# > 0)); do
  case $1 in
  -p | --package) package=$2; shift; (($# == 0)) || shift ;;
  --package=?*) package=\${1#*=}; shift ;;
  --) shift; break ;;
  -y | -q | --yes | --quiet | --silent | --offline | --prefer-offline | --prefer-online | --no-install | --*=*) shift ;;
  *) break ;;
  esac
done
case \${package:-$1} in
@anthropic-ai/claude-code | @anthropic-ai/claude-code@*)
  name=\${package:-$1}
  # With a package of its own the first word is the program's name.
  [[ -n $package && $1 != claude ]] || { shift; exec ${quoted(node)} "$0" "$name" "$@"; }
  ;;
esac
${real === undefined ? '' : `[[ ! -e ${quoted(real)} ]] || exec ${quoted(real)} "\${words[@]}"`}
echo 'npx: the sandbox has none for anything but @anthropic-ai/claude-code: install npm' >&2
exit 127
*/
const { spawn } = require('node:child_process')
const [name, ...words] = process.argv.slice(2)
process.title = ['npm exec', name, ...words].join(' ')
const command = ["'claude'", ...words.map(word => "'" + word.replaceAll("'", "'\\\\''") + "'")].join(' ')
const env = { ...process.env, PATH: ${JSON.stringify(`${wrapperFolder}:`)} + (process.env.PATH || '/usr/local/bin:/usr/bin:/bin') }
const child = spawn('/bin/sh', ['-c', command], { stdio: 'inherit', env })
const signals = ['SIGINT', 'SIGTERM']
for (const signal of signals) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => {
  for (const one of signals) process.removeAllListeners(one)
  if (signal) process.kill(process.pid, signal)
  else process.exit(code)
})
`

/** Quotes text for a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
