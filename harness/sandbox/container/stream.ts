import { PassThrough } from 'node:stream'
import type { Container } from 'dockerode'
import type { ProbeStreams } from '../connect.ts'
import { watchEnding } from './ending.ts'
import { sendHeartbeats } from './heartbeat.ts'

/** Runs one program in a running container, over the engine's exec stream, so that no port has to be opened. */
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
  const ending = watchEnding(container)
  const stream = await exec.start({ hijack: true, stdin: true })
  sendHeartbeats(stream)
  const output = new PassThrough()
  const errors = new PassThrough()
  // Without a terminal the engine multiplexes both outputs on one stream, each chunk with a header.
  container.modem.demuxStream(stream, output, errors)
  let errorText = ''
  errors.on('data', chunk => {
    errorText = `${errorText}${chunk}`.slice(-2000)
  })
  const closed = new Promise<void>(resolve => stream.once('close', resolve).once('error', () => resolve()))
  const ended = closed.then(ending).then(why => [why, errorText.trim()].filter(Boolean).join(': '))
  return { input: stream, output, ended }
}
