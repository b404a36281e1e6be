import fs from 'node:fs'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { CleanupError } from '../errors.ts'
import { fromCwd } from '../platform/cwd.ts'
import { ownUid } from '../platform/files/trust.ts'

/** The tmux servers that the user names, as tmux takes them with -L and -S. */
export interface SocketOptions {
  socketName?: string[]
  socketPath?: string[]
}

export const socketNameOption = (): Option =>
  new Option(
    '--socket-name <name>',
    'also search this tmux server for agents of which only a session name is recorded (tmux -L); repeatable',
  ).argParser((name: string, before: string[] = []) => [...before, socketName(name)])

export const socketPathOption = (): Option =>
  new Option('--socket-path <file>', 'the same, by the path of its socket (tmux -S); repeatable').argParser(
    (file: string, before: string[] = []) => [...before, socketPath(file)],
  )

export const addSocketOptions = (command: Command): Command =>
  command.addOption(socketNameOption()).addOption(socketPathOption())

/**
 * Has this process search the named servers, too. To be called once it is known as which user this process works, because
 * `tmux -L` has a folder for each. `mayBeMissing`: a server may be started later. Throws a CleanupError (`bad-argument`).
 */
export async function useSockets(
  { socketName: names = [], socketPath: paths = [] }: SocketOptions,
  mayBeMissing = false,
): Promise<void> {
  if (names.length + paths.length === 0) return
  const { nameSockets, socketNamed } = await import('../tmux/sockets.ts')
  const named = names.map(name => ({ socket: socketNamed(name), option: `--socket-name ${name}` }))
  const given = paths.map(socket => ({ socket, option: '--socket-path' }))
  const all = [...named, ...given]
  for (const { socket, option } of all) {
    const why = whyNotUsed(socket, mayBeMissing)
    if (why === undefined) continue
    throw new CleanupError(
      'bad-argument',
      `${option}: ${socket} ${why}; name the socket of a tmux server of this user, or leave the option out.`,
    )
  }
  nameSockets(all.map(({ socket }) => socket))
}

function whyNotUsed(socket: string, mayBeMissing: boolean): string | undefined {
  try {
    const found = fs.lstatSync(socket, { throwIfNoEntry: false })
    if (!found) return mayBeMissing ? undefined : 'does not exist'
    if (found.isDirectory()) return 'is a folder'
    if (found.isSymbolicLink()) return 'is a link, whose target could be anybody’s socket'
    if (!found.isSocket()) return 'is not a socket'
    return found.uid === ownUid() ? undefined : `belongs to user ${found.uid}`
  } catch (error) {
    return `cannot be examined (${(error as NodeJS.ErrnoException).code})`
  }
}

function socketName(name: string): string {
  if (name === '')
    throw new InvalidArgumentError(
      'expected a name as for tmux -L; an empty one is refused, because a variable may be unset.',
    )
  if (name.includes('/') || name === '.' || name === '..')
    throw new InvalidArgumentError('expected a name as for tmux -L; --socket-path takes a path.')
  return name
}

function socketPath(file: string): string {
  if (file === '')
    throw new InvalidArgumentError(
      'expected the path of a socket; an empty one is refused, because a variable may be unset.',
    )
  return fromCwd(file)
}
