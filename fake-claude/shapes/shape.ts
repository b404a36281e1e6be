/** Where a leaked child lives. Without a placement it is in claude's own process group. */
const placements = [
  'own-session',
  'daemon',
  'bare-daemon',
  'path-daemon',
  'subreaper',
  'live-parent',
  'job-control',
] as const

/** How a leaked child behaves. */
const behaviours = [
  'hup-ignored',
  'term-ignored',
  'stopped',
  'busy',
  'zombies',
  'descriptors',
  'renamed',
] as const

/** What an agent starts besides such children. */
const programs = [
  'mcp-launcher',
  'nested-server',
  'temp-files',
  'respawn',
  'fork-storm',
  'pty',
  'tmux-job',
  'tmux-guest',
  'background-session',
] as const

export type Placement = (typeof placements)[number]
export type Behaviour = (typeof behaviours)[number]
export type Program = (typeof programs)[number]

/** What a claude leaks: a child with its placement and behaviours, and programs. */
export interface Shape {
  placement: Placement | undefined
  behaviours: Behaviour[]
  programs: Program[]
}

/** Parses a combination such as `own-session+hup-ignored`; for an invalid one, returns what was expected. */
export function parseShape(text: string): Shape | string {
  const names = text.split('+')
  const all: readonly string[] = [...placements, ...behaviours, ...programs]
  if (!names.every(name => all.includes(name))) return `names joined with +, of ${all.join(', ')}`
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) return `each name once, not ${twice} twice`
  const places = placements.filter(name => names.includes(name))
  if (places.length > 1) return `one placement for the child, not ${places.join(' and ')}`
  return {
    placement: places[0],
    behaviours: behaviours.filter(name => names.includes(name)),
    programs: programs.filter(name => names.includes(name)),
  }
}

/** The name of its child: placement and behaviours; empty for a shape of programs only. */
export function childName({ placement, behaviours }: Shape): string {
  return [...(placement ? [placement] : []), ...behaviours].join('+')
}
