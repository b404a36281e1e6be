import { constants } from 'node:os'
import { type PersonaName, personaNames } from '../personas/names.ts'
import { type ProfileName, profiles } from '../profiles.ts'
import { parseShape, type Shape } from '../shapes/shape.ts'

/** What one claude is to do: every key of a directive, with defaults. */
export interface Settings {
  persona: PersonaName
  profile: ProfileName
  journal: string | undefined
  gate: string | undefined
  events: number
  bash: number
  depth: number
  taskSeconds: number
  signal: NodeJS.Signals
  shape: Shape | undefined
  children: number | undefined
  afterMs: number | undefined
  resistMs: number | undefined
  taskId: string | undefined
  agentId: string | undefined
  /** A script for sh that runs before the first step. */
  onStart: string | undefined
  completion: string | undefined
}

interface Parameter {
  setting: keyof Settings
  otherwise: Settings[keyof Settings]
  expected: string | ((value: string) => string)
  parse: (value: string) => unknown
}

/** The keys of a directive, by name. */
export const parameters: Record<string, Parameter> = {
  persona: oneOf('persona', personaNames, 'plain'),
  profile: oneOf('profile', Object.keys(profiles), 'current'),
  journal: text('journal', 'a path'),
  gate: text('gate', 'a path'),
  events: whole('events', 0, 100_000, 4),
  bash: whole('bash', 0, 100, 1),
  depth: whole('depth', 1, 20, 1),
  task_seconds: whole('taskSeconds', 0, 600, 600),
  signal: oneOf(
    'signal',
    Object.keys(constants.signals),
    'SIGKILL',
    name => `SIG${name.replace(/^SIG/, '')}`,
  ),
  shape: {
    setting: 'shape',
    otherwise: undefined,
    expected: value => String(parseShape(value)),
    parse: value => {
      const shape = parseShape(value)
      return typeof shape === 'string' ? undefined : shape
    },
  },
  children: whole('children', 1, 50),
  after_ms: whole('afterMs', 0, 60_000),
  resist_ms: whole('resistMs', 0, 600_000),
  task_id: text('taskId', 'an id'),
  agent_id: text('agentId', 'an id'),
  'on-start': text('onStart', 'a path'),
  completion: text('completion', 'a path'),
}

function oneOf(
  setting: keyof Settings,
  allowed: readonly string[],
  otherwise: string,
  normal = (value: string) => value,
): Parameter {
  const parse = (value: string) => allowed.find(name => name === normal(value))
  return { setting, otherwise: otherwise as PersonaName, expected: `one of ${allowed.join(', ')}`, parse }
}

function text(setting: keyof Settings, what: string): Parameter {
  return { setting, otherwise: undefined, expected: what, parse: value => value || undefined }
}

function whole(setting: keyof Settings, least: number, most: number, otherwise?: number): Parameter {
  const parse = (value: string) => {
    const number = /^\d+$/.test(value) ? Number(value) : Number.NaN
    return number >= least && number <= most ? number : undefined
  }
  return { setting, otherwise, expected: `a whole number from ${least} to ${most}`, parse }
}
