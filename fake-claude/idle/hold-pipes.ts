import { randomUUID } from 'node:crypto'
import { closeSync, fstatSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'

/**
 * Keeps the pipes to the MCP servers open over the exec.
 *
 * Node opens every descriptor close-on-exec and cannot change that; process.execve keeps only 0, 1 and 2. A server whose
 * stdin ends takes claude for dead, and exits. So all the pipes are sent (SCM_RIGHTS) into a socket that nobody reads, and
 * that socket becomes descriptor 0. The kernel keeps descriptors in flight open while the socket lives, and closes them
 * when claude dies, as it should. The shell moves the socket to descriptor 3 and reopens its old stdin.
 *
 * Sending a descriptor needs Node's internal Pipe: the public subprocess.send needs a child that listens.
 */
export async function holdPipes(pipes: unknown[]): Promise<void> {
  // An abstract name, with a leading zero byte, leaves no file. A pid alone is not unique, because several pid namespaces
  // may share one network namespace.
  const name = `\0fake-claude-${process.pid}-${randomUUID()}`
  const server = createServer({ pauseOnConnect: true }).listen(name)
  const accepted = new Promise<Socket>(done => server.once('connection', done))
  await new Promise(done => server.once('listening', done))

  const { Pipe, PipeConnectWrap, constants } = internals('pipe_wrap')
  const { WriteWrap } = internals('stream_wrap')
  const sender = new Pipe(constants.IPC)
  const connecting = new PipeConnectWrap()
  const connected = new Promise(done => {
    connecting.oncomplete = done
  })
  sender.connect(connecting, name)
  // The next descriptor to be opened, the accepted socket, gets the lowest free number.
  closeSync(0)
  await Promise.all([accepted, connected])
  if (!fstatSync(0).isSocket())
    throw new Error('fake-claude: descriptor 0 is not the socket that holds the pipes.')

  for (const pipe of pipes) {
    const handle = (pipe as { _handle?: object | null })._handle
    if (handle) await send(sender, new WriteWrap(), handle)
  }
}

// biome-ignore lint/suspicious/noExplicitAny: Node does not describe its internals.
type Internal = any

function internals(name: string): Internal {
  return (process as unknown as { binding: (name: string) => Internal }).binding(name)
}

function send(sender: Internal, request: Internal, handle: object): Promise<void> {
  return new Promise((done, fail) => {
    request.oncomplete = (status: number) => (status === 0 ? done() : fail(unsent(status)))
    const status: number = sender.writeUtf8String(request, '.', handle)
    if (status !== 0) fail(unsent(status))
    // A write that completes synchronously is not reported later.
    else if (!internals('stream_wrap').streamBaseState[internals('stream_wrap').kLastWriteWasAsync]) done()
  })
}

function unsent(status: number): Error {
  return new Error(`fake-claude: a pipe to an MCP server could not be kept (libuv says ${status}).`)
}
