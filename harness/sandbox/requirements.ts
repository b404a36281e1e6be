import { CannotMeasureError } from '../errors.ts'
import { placeOf, type Sandbox } from './sandbox.ts'

/** The programs that a run needs in its sandbox besides Node, with their Debian packages. */
const packages = { tmux: 'tmux', bash: 'bash', ps: 'procps' }
/** What the shapes of the catalogue need in addition. */
const morePackages = { perl: 'perl' }

const oldestTmux = 3.2

/** Prints a line for each program that is missing or wrong. */
const check = `
for name; do command -v "$name" >/dev/null || echo "$name is not there"; done
! command -v bash >/dev/null || [ -n "$(bash -c 'echo "$BASH_VERSION"')" ] || echo "bash is another shell"`

/** The tmux commands that the rig and its agents need most. */
const session = ['-L', 'leakrig-check', '-f', '/dev/null', 'new-session', '-d', 'sleep 60', ';']
const listing = ['list-panes', '-a', '-F', '#{pane_id}', ';', 'kill-server']

/**
 * Checks, in a sandbox in which nothing else runs, that every program that a run needs is there and works.
 * @throws CannotMeasureError that names the program and what to do
 */
export async function requirePrograms(sandbox: Sandbox, forCatalogue: boolean): Promise<void> {
  const needed: Record<string, string> = { ...packages, ...(forCatalogue ? morePackages : {}) }
  const { stdout } = await sandbox.probe.run(['sh', '-c', check, 'sh', ...Object.keys(needed)])
  const [wrong = ''] = stdout.split('\n')
  const [name = ''] = wrong.split(' ')
  if (name === 'tmux') throw wrongTmux(sandbox, 'found no tmux')
  if (name)
    throw new CannotMeasureError(
      `The rig needs the program ${name} in ${placeOf(sandbox)}, and ${wrong}: install it (Debian: apt-get install ${needed[name]}) and run again.`,
    )
  await requireTmux(sandbox)
}

/** `new-session -e`, by which an agent is marked, came with tmux 3.2. */
async function requireTmux(sandbox: Sandbox): Promise<void> {
  const version = await runTmux(sandbox, ['-V'])
  if (!(Number(/(\d+\.\d+)/.exec(version)?.[1]) >= oldestTmux))
    throw wrongTmux(sandbox, `found ${version.trim()}`)
  await runTmux(sandbox, [...session, ...listing])
}

/** Tells a tmux that hangs or crashes from a missing one, because installing it would not help. */
async function runTmux(sandbox: Sandbox, args: string[]): Promise<string> {
  const ended = await sandbox.probe.run(['tmux', ...args]).catch(error => error as Error)
  if (!(ended instanceof Error) && ended.code === 0) return ended.stdout
  const how = ended instanceof Error ? ended.message : `exit code ${ended.code}: ${ended.stderr.trim()}`
  throw new CannotMeasureError(
    `The tmux in ${placeOf(sandbox)} does not work (${how.replaceAll(/\s+/g, ' ')}): repair it, or put another one first on the PATH.`,
  )
}

function wrongTmux(sandbox: Sandbox, found: string): CannotMeasureError {
  return new CannotMeasureError(
    `The rig needs tmux ${oldestTmux} or newer in ${placeOf(sandbox)}, and ${found}: install it (Debian: apt-get install tmux) and run again.`,
  )
}
