import { CannotMeasureError } from '../errors.ts'
import type { Sandbox } from './sandbox.ts'

/** What a run starts in its sandbox beside Node, and the Debian package that has it. */
const packages = { tmux: 'tmux', bash: 'bash', ps: 'procps' }
/** What the catalogue's shapes are written in. */
const morePackages = { perl: 'perl' }

const oldestTmux = 3.2

/** Prints what is wrong with the programs, a line each. */
const check = `
for name; do command -v "$name" >/dev/null || echo "$name is not there"; done
! command -v bash >/dev/null || [ -n "$(bash -c 'echo "$BASH_VERSION"')" ] || echo "bash is another shell"`

/** What the rig and its agents ask of tmux at every step. */
const session = ['-L', 'leakrig-check', '-f', '/dev/null', 'new-session', '-d', 'sleep 60', ';']
const listing = ['list-panes', '-a', '-F', '#{pane_id}', ';', 'kill-server']

/**
 * Makes sure, in a sandbox that nothing else runs in, that what a run needs is there and works.
 * @throws CannotMeasureError with one sentence that names what does not, and what to do.
 */
export async function requirePrograms(sandbox: Sandbox, forCatalogue: boolean): Promise<void> {
  const needed: Record<string, string> = { ...packages, ...(forCatalogue ? morePackages : {}) }
  const { stdout } = await sandbox.probe.run(['sh', '-c', check, 'sh', ...Object.keys(needed)])
  const [wrong = ''] = stdout.split('\n')
  const [name = ''] = wrong.split(' ')
  if (name === 'tmux') throw wrongTmux(sandbox, 'found no tmux')
  if (name)
    throw new CannotMeasureError(
      `The rig needs the program ${name} in the ${sandbox.kind} sandbox, and ${wrong}: install it (Debian: apt-get install ${needed[name]}) and run again.`,
    )
  await requireTmux(sandbox)
}

/** `new-session -e`, by which an agent is marked, came with tmux 3.2. */
async function requireTmux(sandbox: Sandbox): Promise<void> {
  const said = await askTmux(sandbox, ['-V'])
  if (!(Number(/(\d+\.\d+)/.exec(said)?.[1]) >= oldestTmux)) throw wrongTmux(sandbox, `found ${said.trim()}`)
  await askTmux(sandbox, [...session, ...listing])
}

/** A tmux that hangs or crashes is there: to install it is no help. */
async function askTmux({ probe, kind }: Sandbox, args: string[]): Promise<string> {
  const ended = await probe.run(['tmux', ...args]).catch(error => error as Error)
  if (!(ended instanceof Error) && ended.code === 0) return ended.stdout
  const how = ended instanceof Error ? ended.message : `exit code ${ended.code}: ${ended.stderr.trim()}`
  throw new CannotMeasureError(
    `The tmux in the ${kind} sandbox does not work (${how.replaceAll(/\s+/g, ' ')}): repair it, or put another one first on the PATH.`,
  )
}

function wrongTmux({ kind }: Sandbox, found: string): CannotMeasureError {
  return new CannotMeasureError(
    `The rig needs tmux ${oldestTmux} or newer in the ${kind} sandbox, and ${found}: install it (Debian: apt-get install tmux) and run again.`,
  )
}
