import { findTool } from '../cli/check-shape.ts'
import type { Settings } from '../cli/settings.ts'
import { ownFile } from '../own-file.ts'
import { childName, type Placement, type Program } from './shape.ts'

/** One kind of process that claude starts for its shape, once for each command. The plan is its stdin. */
export interface Launch {
  /** The name in the journal. */
  shape: string
  /** The role that the last of its processes reports when everything is ready. */
  ready: string
  /** One command for each process. */
  commands: string[][]
  /** Started by claude itself in its own process group; otherwise by the Bash tool, in a call that ends at once. */
  direct?: true
  /** The shell starts it in a process group of its own, and does not wait for it. */
  jobControl?: true
}

export const script = (name: string) => ownFile(`shapes/${name}`)

/** The launches for the child and for each program of a shape. */
export function launchesFor(settings: Settings): Launch[] {
  const { shape, children = 1 } = settings
  if (!shape) return []
  const numbers = Array.from({ length: children }, (_, at) => at + 1)
  const name = childName(shape)
  const child = name ? [childLaunch(name, shape.placement, numbers)] : []
  const others = shape.programs.map(program => programLaunch(program, numbers))
  return [...child, ...others.filter(launch => launch !== undefined)]
}

function childLaunch(shape: string, placement: Placement | undefined, numbers: number[]): Launch {
  const commands = numbers.map(number => [...prefix(placement), 'perl', script('child.pl'), String(number)])
  return {
    shape,
    ready: 'child',
    commands,
    ...(placement === undefined && { direct: true }),
    ...(placement === 'job-control' && { jobControl: true }),
  }
}

// The prefix of the child's command that brings it to its placement.
function prefix(placement: Placement | undefined): string[] {
  switch (placement) {
    case 'own-session':
      return ['setsid', '-f']
    case 'daemon':
      return ['perl', script('daemonize.pl')]
    case 'bare-daemon':
      return ['perl', script('daemonize.pl'), '--bare=']
    case 'path-daemon':
      return ['perl', script('daemonize.pl'), '--bare=PATH']
    case 'subreaper': {
      const reaper = findTool('tini') ? ['tini', '-s', '--'] : ['perl', script('subreaper.pl')]
      return ['setsid', '-f', ...reaper, 'perl', script('below-subreaper.pl')]
    }
    case 'live-parent':
      return ['perl', script('daemonize.pl'), 'perl', script('parent.pl')]
    default:
      return []
  }
}

function programLaunch(program: Program, numbers: number[]): Launch | undefined {
  const many = (command: string[]) => numbers.map(number => [...command, String(number)])
  const own = (name: string) => many(['setsid', '-f', 'perl', script(`programs/${name}`)])
  switch (program) {
    case 'respawn':
      return { shape: program, ready: 'supervisor', commands: own('respawn.pl') }
    case 'fork-storm':
      return { shape: program, ready: 'generation', commands: own('fork-storm.pl') }
    case 'pty':
      return { shape: program, ready: 'holder', commands: own('ptys.pl') }
    case 'nested-server':
      return { shape: program, ready: 'server', commands: many(['sh', script('programs/nested-server.sh')]) }
    case 'tmux-job':
      return { shape: program, ready: 'job', commands: many(['sh', script('programs/tmux-job.sh')]) }
    case 'tmux-guest':
      return { shape: program, ready: 'job', commands: many(['sh', script('programs/tmux-guest.sh')]) }
    case 'background-session': {
      const command = ['sh', script('programs/background-session.sh'), ownFile('claude')]
      return { shape: program, ready: 'worker', commands: many(command) }
    }
    case 'temp-files':
      return {
        shape: program,
        ready: 'files',
        commands: [['sh', script('programs/temp-files.sh'), String(numbers.length)]],
      }
    default:
      // It is started with claude's other MCP servers (mcp-launcher.ts).
      return undefined
  }
}
