/** How an agent ends, as `--ending` names it, and as the catalogue does. */
export const endingChoices = {
  completes: 'completes from inside',
  reported: 'completes from outside',
  killed: 'killed',
  crashed: 'crashed',
} as const

export type EndingChoice = keyof typeof endingChoices

interface Shape {
  /** What the agent leaves, in a line. */
  what: string
  /** An ending that it outlives. */
  ending: EndingChoice
}

/** Where a leaked child lives. A shape has one of these at most. */
const placements: Record<string, Shape> = {
  'own-session': {
    what: 'a child in a session of its own: no SIGHUP of the terminal reaches it',
    ending: 'killed',
  },
  daemon: {
    what: 'a child that forked twice: neither its parent nor its session leads to the agent',
    ending: 'killed',
  },
  'bare-daemon': {
    what: 'a daemon with an empty environment, which bears no trace of its agent',
    ending: 'killed',
  },
  'path-daemon': { what: 'a daemon that kept nothing but PATH', ending: 'killed' },
  subreaper: { what: 'a child that was orphaned below a subreaper instead of process 1', ending: 'killed' },
  'live-parent': {
    what: 'a child below a daemon that lives on, so that its parent is not process 1',
    ending: 'killed',
  },
  'job-control': { what: 'a child in a process group of its own (set -m)', ending: 'killed' },
}

/** How it behaves, or what is started beside it. */
const others: Record<string, Shape> = {
  'hup-ignored': { what: 'a child that ignores SIGHUP, as after nohup', ending: 'killed' },
  'term-ignored': { what: 'a child that ignores SIGTERM', ending: 'completes' },
  stopped: {
    what: 'a stopped child: a SIGTERM waits until it goes on, and only SIGKILL ends it',
    ending: 'crashed',
  },
  busy: { what: 'a child that ignores a broken pipe and spins', ending: 'completes' },
  zombies: { what: 'dead children that their parent does not collect', ending: 'completes' },
  descriptors: { what: 'a child that opens more and more files, some of them deleted', ending: 'completes' },
  renamed: { what: 'a child with a misleading name and command line', ending: 'completes' },
  'mcp-launcher': {
    what: 'an MCP server behind a launcher, which ignores the end of its input',
    ending: 'killed',
  },
  'nested-server': { what: 'a tmux server that the agent started', ending: 'killed' },
  'temp-files': { what: 'files in /tmp, and folders of a team that block its name', ending: 'killed' },
  respawn: { what: 'a supervisor that starts its worker again', ending: 'killed' },
  'fork-storm': {
    what: 'a process that forks a successor and exits, hundreds of times a second',
    ending: 'killed',
  },
  pty: { what: 'terminals that are held open', ending: 'killed' },
  'tmux-job': { what: 'a job of the tmux server (run-shell -b), outside of every pane', ending: 'killed' },
  'tmux-guest': {
    what: 'a session and a job on the tmux server, without a trace of the agent',
    ending: 'killed',
  },
  'background-session': {
    what: 'a background service of claude (--bg), with its sessions',
    ending: 'killed',
  },
}

export const shapes: Record<string, Shape> = { ...placements, ...others }

/**
 * The shape that a name such as `own-session+stopped` combines; undefined where a part is none.
 * The ending is one that the whole outlives.
 */
export function shapeNamed(name: string): Shape | undefined {
  const parts = name.split('+')
  const found = parts.flatMap(part => (Object.hasOwn(shapes, part) ? (shapes[part] ?? []) : []))
  if (found.length < parts.length) return undefined
  // A child in another place outlives its agent whatever its behaviour is.
  const lasting =
    found.find(({ ending }) => ending === 'killed') ?? found.find(({ ending }) => ending === 'crashed')
  return { what: found.map(({ what }) => what).join('; '), ending: lasting?.ending ?? 'completes' }
}
