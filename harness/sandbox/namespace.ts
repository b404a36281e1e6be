import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { programFile, projectRoot } from '../../bin/programs.ts'
import { CannotMeasureError } from '../errors.ts'
import { coveredClaudes, findNpx } from './claude/covers.ts'
import { wrappedFolders, wrappers } from './claude/wrapper.ts'
import { connectProbe } from './connect.ts'
import { sandboxEnvironment } from './environment.ts'
import { inheritedDescriptors } from './inherited-descriptors.ts'
import { installOnHost } from './install/on-host.ts'
import { type Mounts, requireNoListener, resolveMounts } from './mounts.ts'
import { refusal } from './namespace-refusal.ts'
import { namespaceUser } from './namespace-user.ts'
import { type InstallStep, requireNoImage, type SandboxNeeds } from './needs.ts'
import type { Sandbox, SandboxRights } from './sandbox.ts'
import { withAllBelow } from './traces.ts'

/**
 * Starts a sandbox of Linux namespaces: pids, mounts, network, IPC and hostname of its own, and no capabilities. It sees
 * the project, Node, the system's programs and what is mounted, all read-only, and a /tmp, /dev and /proc of its own.
 * Nothing in it outlives the rig.
 * @throws CannotMeasureError when a program is missing, a namespace is refused, or an install step fails
 * @throws WrongNeed for something that cannot be mounted, and for an image
 */
export async function startNamespaceSandbox(
  rights: SandboxRights = {},
  needs: SandboxNeeds = {},
): Promise<Sandbox> {
  requireNoImage(needs)
  await checkNamespaces()
  const install = needs.install && (await installOnce(needs.install))
  const mounts = resolveMounts([...(needs.mounts ?? []), ...(install ? [install] : [])])
  requireNoListener(mounts.paths)
  const child = spawnInside(rights, [process.execPath, programFile('probe')], mounts, needs.covers, install)
  const probe = connectProbe({
    input: child.stdin as Writable,
    output: child.stdout as Readable,
    ended: watchEnd(child),
  })
  const traces = () => ({ processes: withAllBelow(child.pid) })
  return { kind: 'namespace', install, probe, traces, [Symbol.asyncDispose]: () => endSandbox(child) }
}

const installed = new Map<string, Promise<string>>()

/** Looks at the inputs once in each process: all sandboxes of a run show the same result. */
function installOnce(step: InstallStep): Promise<string> {
  const key = JSON.stringify(step)
  const folder = installed.get(key) ?? installOnHost(step)
  installed.set(key, folder)
  folder.catch(() => installed.delete(key))
  return folder
}

/** Runs a command in a new sandbox, which ends with the command, when its lifeline closes, or when the rig dies. */
function spawnInside(
  { mayMount, mayNest }: SandboxRights,
  command: string[],
  { paths, links }: Mounts = { paths: [], links: [] },
  covers: readonly string[] = [],
  install?: string,
): ChildProcess {
  const init = join(import.meta.dirname, 'namespace-init.sh')
  const own = ['--mount', '--pid', '--fork', '--net', '--ipc', '--uts', '--cgroup', '--kill-child=KILL']
  const flags = process.getuid?.() === 0 ? own : ['--user', '--map-root-user', ...own]
  const path = programPath()
  const nothing = openSync('/dev/null', 'r')
  const stdio: StdioOptions = ['pipe', 'pipe', 'pipe', 'pipe']
  for (const fd of inheritedDescriptors(3)) stdio[fd] = nothing
  const keyctl = String({ x64: 250, arm64: 219 }[process.arch as string] ?? 0)
  const limits = [mayMount || mayNest ? '-all,+sys_admin' : '-all', mayNest ? 'pid' : 'none']
  // What contains another, which is shorter, comes first, and what is shown with it is not mounted again.
  const shown = [...paths, projectRoot, process.execPath].sort((one, other) => one.length - other.length)
  const program = programFile('fake-claude/main')
  const scripts = wrappers({ node: process.execPath, program, npx: findNpx(path) })
  const claudes = coveredClaudes(path, covers, shown)
  const lists = [shown, links.flat(), scripts.flat(), wrappedFolders, claudes]
  const counted = lists.flatMap(list => [String(list.length), ...list])
  const steps = ['guard', flags.join(' '), namespaceUser(paths), ...counted, ...limits, keyctl]
  const child = spawn('sh', [init, ...steps, ...command], {
    // In a process group of its own, Ctrl-C reaches only the rig, which then ends the sandbox in order.
    detached: true,
    // spawn() needs an entry for each number.
    stdio: Array.from(stdio, what => what ?? 'ignore'),
    env: sandboxEnvironment(path, [...paths, ...links.map(([link]) => link)], install),
  })
  closeSync(nothing)
  // Process 1 and the probe hold the other end of stdout. Once both are gone, the guard may end too.
  child.stdout?.once('close', () => cutLifeline(child))
  return child
}

/** A user's PATH may lack the folders of pivot_root(8). */
const programPath = (): string =>
  [dirname(process.execPath), process.env.PATH, '/usr/sbin', '/sbin'].join(delimiter)

function cutLifeline(child: ChildProcess): void {
  const lifeline = child.stdio[3] as Writable | undefined
  lifeline?.destroy()
}

/** Resolves with the reason when the sandbox has ended; never rejects. */
function watchEnd(child: ChildProcess): Promise<string> {
  let errorText = ''
  child.stderr?.on('data', chunk => {
    errorText = `${errorText}${chunk}`.slice(-2000)
  })
  return new Promise(resolve => {
    child.once('error', error => resolve(String(error)))
    child.once('close', (code, signal) => {
      const name = signal ?? signalOf(code ?? 0)
      const how = name ? `killed with ${name}` : `exit code ${code}`
      resolve([how, errorText.trim()].filter(Boolean).join(': '))
    })
  })
}

/** A shell exits with 128 + n when its command was killed with signal n. */
function signalOf(code: number): string | undefined {
  return Object.entries(constants.signals).find(([, number]) => code === 128 + number)?.[0]
}

async function endSandbox(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const exit = once(child, 'exit')
  cutLifeline(child)
  await exit
}

let checked: Promise<void> | undefined

/**
 * Checked once in each process.
 * @throws CannotMeasureError when this machine cannot run the namespace sandbox
 */
function checkNamespaces(): Promise<void> {
  checked ??= tryOnce()
  return checked
}

async function tryOnce(): Promise<void> {
  if (process.platform !== 'linux') {
    throw new CannotMeasureError(
      `The namespace sandbox needs Linux and this is ${process.platform}: use --sandbox container.`,
    )
  }
  const child = spawnInside({}, ['/usr/bin/env'])
  child.stdout?.resume()
  const reason = await watchEnd(child)
  if (reason !== 'exit code 0') throw new CannotMeasureError(refusal(reason, programPath()))
}
