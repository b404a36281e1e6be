import { PassThrough } from 'node:stream'
import type { Container } from 'dockerode'
import type { ProbeStreams } from '../connect.ts'
import { watchEnding } from './ending.ts'
import { sendSigns } from './heartbeat.ts'

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
  const ending = watchEnding(container)
  const stream = await exec.start({ hijack: true, stdin: true })
  sendSigns(stream)
  const output = new PassThrough()
  const errors = new PassThrough()
  // Without a terminal the engine sends both outputs in one stream, each piece with a header.
  container.modem.demuxStream(stream, output, errors)
  let said = ''
  errors.on('data', chunk => {
    said = `${said}${chunk}`.slice(-2000)
  })
  const closed = new Promise<void>(resolve => stream.once('close', resolve).once('error', () => resolve()))
  const ended = closed.then(ending).then(why => [why, said.trim()].filter(Boolean).join(': '))
  return { input: stream, output, ended }
}
