import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { delimiter, dirname, join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { connectProbe } from './connect.ts'
import { sandboxEnvironment } from './environment.ts'
import { projectRoot } from './project.ts'
import { CannotMeasureError, type Sandbox } from './sandbox.ts'

/**
 * Starts a sandbox of Linux namespaces: its own pids, mounts (/proc, /tmp, /dev/pts; all else read-only),
 * network and IPC, as root or in a user namespace. Nothing in it outlives the rig: unshare(1) kills
 * process 1 when it goes itself, and process 1 goes when the rig's end of the lifeline is closed.
 * @throws CannotMeasureError when unshare is missing or not allowed, or the sandbox does not start.
 */
export async function startNamespaceSandbox(): Promise<Sandbox> {
  await checkNamespaces()
  const child = spawn('unshare', [...unshareFlags(), '--', ...initCommand()], {
    // A group of its own: Ctrl-C in the terminal is for the rig, which then ends the sandbox in order.
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    env: sandboxEnvironment([dirname(process.execPath), process.env.PATH].join(delimiter)),
  })
  const ended = watchEnd(child)
  const probe = connectProbe({ input: child.stdin as Writable, output: child.stdout as Readable, ended })
  return { kind: 'namespace', probe, [Symbol.asyncDispose]: () => endSandbox(child) }
}

function unshareFlags(): string[] {
  const flags = ['--fork', '--pid', '--mount', '--mount-proc', '--net', '--ipc', '--kill-child=KILL']
  return process.getuid?.() === 0 ? flags : ['--user', '--map-root-user', ...flags]
}

function initCommand(): string[] {
  const init = join(import.meta.dirname, 'namespace-init.sh')
  const probe = join(projectRoot, 'harness/probe/main.ts')
  return ['sh', init, projectRoot, process.execPath, probe]
}

/** Resolves with the reason in words when the sandbox has ended; never rejects. */
function watchEnd(child: ChildProcess): Promise<string> {
  let said = ''
  child.stderr?.on('data', chunk => {
    said = `${said}${chunk}`.slice(-2000)
  })
  return new Promise(resolve => {
    child.once('error', error => resolve(String(error)))
    child.once('close', (code, signal) => {
      const how = signal ? `killed with ${signal}` : `exit code ${code}`
      resolve([how, said.trim()].filter(Boolean).join(': '))
    })
  })
}

async function endSandbox(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL') // --kill-child carries it to process 1, and the kernel to all the others
  await exit
}

/** @throws CannotMeasureError when this machine can not run the namespace sandbox. */
async function checkNamespaces(): Promise<void> {
  if (process.platform !== 'linux') {
    throw new CannotMeasureError(
      `The namespace sandbox needs Linux and this is ${process.platform}: use --sandbox container.`,
    )
  }
  const child = spawn('unshare', [...unshareFlags(), '--', 'sh', '-c', ':'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const reason = await watchEnd(child)
  if (reason === 'exit code 0') return
  throw new CannotMeasureError(
    reason.includes('ENOENT')
      ? 'The namespace sandbox needs the program unshare (package util-linux), which is not on the PATH: install it.'
      : `The namespace sandbox needs the right to unshare, and was refused it (${reason}): run as root, or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1).`,
  )
}
