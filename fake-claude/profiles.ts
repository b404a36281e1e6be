/** One signal at one moment, counted in milliseconds from the beginning of the ending. */
export interface EndingStep {
  at: number
  to: 'mcp' | 'bash'
  signal: 'SIGINT' | 'SIGTERM' | 'SIGKILL'
}

/** How one version of claude ends for one cause. */
export interface Ending {
  code: number
  steps: EndingStep[]
  /** It does not end before, whatever its children do. */
  lasts?: number
  /** Added on top while a call to an MCP server is unanswered. */
  inCall?: number
  /** Leaves the files of its session behind, and prints no last words. */
  abrupt?: true
}

export interface Profile {
  version: string
  /** The versions that ran on Node rewrote their title: the arguments are not visible in cmdline. */
  retitles: boolean
  /** A signal that is not listed is not handled: it ends claude at once, as the kernel does. */
  endings: { SIGHUP?: Ending; SIGINT: Ending; SIGTERM: Ending; exit: Ending }
  /** Milliseconds after the result at which background tasks get SIGTERM; undefined: claude waits for them. */
  backgroundEnds: number | undefined
  /** Says how a foreground tool ended when a signal ends claude. */
  lastWords: boolean
}

export type ProfileName = 'legacy' | 'mid' | 'current'

// MCP servers: a request to leave, then less and less patience. Each pid alone, never a group.
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

/** What was measured on the real ones: 2.0.76, 2.1.200, 2.1.330. */
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
      // On a hang-up the Bash tools have to wait until the MCP servers are through.
      SIGHUP: { code: 129, steps: order(...mcp, ...bash(530)), inCall: 2000 },
      SIGINT: { code: 0, steps: order(...mcp, ...bash(0)) },
      SIGTERM: { code: 143, steps: order(...mcp, ...bash(0)) },
      exit: { code: 0, steps: mcp },
    },
    backgroundEnds: undefined,
    lastWords: true,
  },
}
export type Cause = keyof Profile['endings']
