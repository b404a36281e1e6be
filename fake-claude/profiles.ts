/** One signal, at a time in ms from the beginning of the ending. */
export interface EndingStep {
  at: number
  to: 'mcp' | 'bash'
  signal: 'SIGINT' | 'SIGTERM' | 'SIGKILL'
}

/** How one version of claude ends for one cause. */
export interface Ending {
  code: number
  steps: EndingStep[]
  /** The shortest time that the ending takes, ms, whatever the children do. */
  lasts?: number
  /** Added to all times while a call to an MCP server is unanswered, ms. */
  inCall?: number
  /** Leaves the files of its session behind, and prints no last events. */
  abrupt?: true
}

export interface Profile {
  version: string
  /** Versions that run on Node rewrite their title, which hides the arguments in cmdline. */
  retitles: boolean
  /** A signal that is not listed is not handled: the kernel ends claude at once. */
  endings: { SIGHUP?: Ending; SIGINT: Ending; SIGTERM: Ending; exit: Ending }
  /** When background tasks get SIGTERM, in ms after the result; undefined: claude waits for them. */
  backgroundEnds: number | undefined
  /** Prints the result of a foreground tool when a signal ends claude. */
  lastWords: boolean
}

export type ProfileName = 'legacy' | 'mid' | 'current'

// MCP servers get SIGINT, then stronger signals. Each goes to one pid, never to a group.
const mcp: EndingStep[] = [
  { at: 0, to: 'mcp', signal: 'SIGINT' },
  { at: 100, to: 'mcp', signal: 'SIGTERM' },
  { at: 500, to: 'mcp', signal: 'SIGKILL' },
]

function bash(at: number): EndingStep[] {
  return [
    { at, to: 'bash', signal: 'SIGTERM' },
    { at: at + 1500, to: 'bash', signal: 'SIGKILL' },
  ]
}

function order(...steps: EndingStep[]): EndingStep[] {
  return steps.sort((one, other) => one.at - other.at)
}

/** As measured with the real versions 2.0.76, 2.1.200 and 2.1.330. */
export const profiles: Record<ProfileName, Profile> = {
  legacy: {
    version: '2.0.76',
    retitles: true,
    endings: {
      SIGINT: { code: 0, steps: [], abrupt: true },
      SIGTERM: { code: 143, steps: [], lasts: 2000 },
      exit: { code: 0, steps: [] },
    },
    backgroundEnds: 2000,
    lastWords: false,
  },
  mid: {
    version: '2.1.200',
    retitles: false,
    endings: {
      SIGHUP: { code: 129, steps: mcp },
      SIGINT: { code: 0, steps: mcp },
      SIGTERM: { code: 143, steps: mcp },
      exit: { code: 0, steps: mcp },
    },
    backgroundEnds: 5000,
    lastWords: false,
  },
  current: {
    version: '2.1.330',
    retitles: false,
    endings: {
      // On SIGHUP the Bash tools get their signals only after the MCP servers got theirs.
      SIGHUP: { code: 129, steps: order(...mcp, ...bash(530)), inCall: 2000 },
      SIGINT: { code: 0, steps: order(...mcp, ...bash(0)) },
      SIGTERM: { code: 143, steps: order(...mcp, ...bash(0)) },
      exit: { code: 0, steps: mcp },
    },
    backgroundEnds: undefined,
    lastWords: true,
  },
}
/** The same version in a terminal: it takes longer by itself, and ends its children when it is left. Measured on 2.1.332. */
export function interactive({ endings, ...profile }: Profile): Profile {
  const { SIGHUP, SIGINT, SIGTERM } = endings
  const exit = { code: 0, steps: SIGTERM.steps }
  if (profile.version !== profiles.current.version) return { ...profile, endings: { ...endings, exit } }
  const slow = { SIGTERM: { ...SIGTERM, lasts: 650 }, exit: { ...exit, lasts: 200 } }
  return { ...profile, endings: { SIGINT, ...(SIGHUP && { SIGHUP: { ...SIGHUP, lasts: 570 } }), ...slow } }
}

/** Left by its terminal, as by kill-session. */
export function hungUp({ endings, ...profile }: Profile): Profile {
  return { ...profile, endings: { ...endings, exit: { ...endings.exit, lasts: 450 } } }
}

/** What ends claude: a signal that it handles, or its own exit. */
export type Cause = keyof Profile['endings']
