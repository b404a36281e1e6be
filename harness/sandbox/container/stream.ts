import { PassThrough } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { Container } from 'dockerode'
import type { ProbeStreams } from '../connect.ts'

/** One program in a running container, over the engine's exec stream: no port is opened for it. */
export async function execStream(
  container: Container,
  command: string[],
  environment: Record<string, string>,
): Promise<ProbeStreams> {
  const exec = await container.exec({
    Cmd: command,
    Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    WorkingDir: '/tmp',
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
  })
  const stream = await exec.start({ hijack: true, stdin: true })
  const output = new PassThrough()
  const errors = new PassThrough()
  // Without a terminal the engine sends both outputs in one stream, each piece with a header.
  container.modem.demuxStream(stream, output, errors)
  let said = ''
  errors.on('data', chunk => {
    said = `${said}${chunk}`.slice(-2000)
  })
  const closed = new Promise<void>(resolve => stream.once('close', resolve).once('error', () => resolve()))
  const ended = closed.then(() => reason(container, said))
  return { input: stream, output, ended }
}

/**
 * Why the probe's stream ended, as far as the engine still knows. The stream of a container that is killed ends a
 * moment before the engine calls it ended, so the engine is given ten seconds to say so.
 */
async function reason(container: Container, said: string): Promise<string> {
  const ended = container.wait().then(
    ({ StatusCode }) => `its container ended with exit code ${StatusCode}`,
    () => 'its container was removed',
  )
  const what = await Promise.race([ended, delay(10_000, 'its probe ended', { ref: false })])
  return [what, said.trim()].filter(Boolean).join(': ')
}
