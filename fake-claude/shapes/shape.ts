/** Where a leaked child lives; a child has one place at most. Without one: in claude's own process group. */
const placements = [
  'own-session',
  'daemon',
  'bare-daemon',
  'subreaper',
  'live-parent',
  'job-control',
] as const

/** How a leaked child behaves, wherever it lives. */
const behaviours = [
  'hup-ignored',
  'term-ignored',
  'stopped',
  'busy',
  'zombies',
  'descriptors',
  'renamed',
] as const

/** What an agent starts beside its children, each in a place of its own. */
const programs = ['mcp-launcher', 'nested-server', 'temp-files', 'respawn', 'fork-storm', 'pty'] as const

export type Placement = (typeof placements)[number]
export type Behaviour = (typeof behaviours)[number]
export type Program = (typeof programs)[number]

/** What a claude leaks: a child with its place and its behaviours, and programs. */
export interface Shape {
  placement: Placement | undefined
  behaviours: Behaviour[]
  programs: Program[]
}

/** A combination such as `own-session+hup-ignored`; where it is none, what was expected instead. */
export function parseShape(text: string): Shape | string {
  const names = text.split('+')
  const all: readonly string[] = [...placements, ...behaviours, ...programs]
  if (!names.every(name => all.includes(name))) return `names joined with +, of ${all.join(', ')}`
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) return `each name once, not ${twice} twice`
  const places = placements.filter(name => names.includes(name))
  if (places.length > 1) return `one place for the child, not ${places.join(' and ')}`
  return {
    placement: places[0],
    behaviours: behaviours.filter(name => names.includes(name)),
    programs: programs.filter(name => names.includes(name)),
  }
}

/** Its child's name: placement and behaviours; empty where the shape is programs only. */
export function childName({ placement, behaviours }: Shape): string {
  return [...(placement ? [placement] : []), ...behaviours].join('+')
}
