import { z } from 'zod'
import { declaredFileClasses, endings } from './definition.ts'
import { isPointer } from './pointer.ts'
import type { PatternSource } from './system.ts'

const text = z.string().min(1, 'expected some text, and found none')
const variables = z.record(z.string(), z.string())

/** Not a cycle, and no BigInt. */
function isJson(value: unknown): boolean {
  try {
    return JSON.stringify(value) !== undefined
  } catch {
    return false
  }
}

/** A pattern, or its source, as its source. */
const pattern = z.unknown().transform((value, context): PatternSource => {
  if (value instanceof RegExp) return { source: value.source, flags: value.flags.replaceAll(/[gy]/g, '') }
  try {
    if (value === '')
      context.addIssue('expected a regular expression, and found an empty one, which matches everything')
    else if (typeof value === 'string') return { source: new RegExp(value).source, flags: '' }
    else context.addIssue('expected a regular expression, or its source as a string')
  } catch (error) {
    context.addIssue(`expected a regular expression: ${(error as Error).message}`)
  }
  return z.NEVER
})

const pointer = z.string().refine(isPointer, 'expected a JSON pointer such as "/agent/id"')

const result = z.unknown().transform((value, context) => {
  const isList = typeof value === 'object' && value !== null && !(value instanceof RegExp)
  const parsed = isList ? z.record(z.string(), pointer).safeParse(value) : pattern.safeParse(value)
  if (!parsed.success) {
    for (const { message, path } of parsed.error.issues) context.addIssue({ code: 'custom', message, path })
    return z.NEVER
  }
  if (isList) return { pointers: parsed.data as Record<string, string> }
  const { source } = parsed.data as PatternSource
  if (source.includes('(?<')) return { pattern: parsed.data as PatternSource }
  context.addIssue('expected a pattern with named groups, such as /session (?<session>\\S+)/')
  return z.NEVER
})

const common = {
  timeoutMs: z.number().int().positive().max(3_600_000).optional(),
  result: result.optional(),
  failedWhen: pattern.optional(),
}
const args = z.record(z.string(), z.unknown()).refine(isJson, 'expected what JSON can express')

/** The forms of a call, by the field that only this form has. */
export const callForms = {
  tool: z.strictObject({ tool: text, args: args.optional(), ...common }),
  run: z.strictObject({ run: text, cwd: text.optional(), env: variables.optional(), ...common }),
  read: z.strictObject({ read: text, ...common }),
  module: z.strictObject({ module: text, export: text.optional(), ...common }),
}

const each = pattern.refine(
  ({ source }) => source.includes('(?<id>'),
  'expected a pattern with the group (?<id>...)',
)

/** The forms of the call that lists agents. */
export const listForms = {
  tool: callForms.tool.extend({ each }),
  run: callForms.run.extend({ each }),
}

export const insideForms = {
  tool: z.strictObject({ tool: text, args: args.optional() }),
  run: z.strictObject({ run: text, env: variables.optional() }),
}

const fileClass = z.enum(declaredFileClasses)

const loadItem = z.union(
  [z.strictObject({ process: text }), z.strictObject({ file: fileClass }), z.strictObject({ open: pattern })],
  { error: `expected { process: name }, { file: class } or { open: pattern }` },
)

const patterns = z.unknown().transform((value, context): PatternSource[] => {
  const parsed = z.array(pattern).safeParse([value].flat())
  if (parsed.success) return parsed.data
  for (const { message, path } of parsed.error.issues)
    context.addIssue({ code: 'custom', message, path: Array.isArray(value) ? path : [] })
  return z.NEVER
})

/** A definition; calls and classes of files are checked one by one afterwards. */
export const definitionSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[\w.@/-]{1,60}$/, 'expected up to 60 letters, digits and characters of ". _ - @ /"'),
  mcp: z
    .strictObject({
      command: z.array(text).min(1, 'expected a program and its arguments'),
      env: variables.optional(),
      cwd: text.optional(),
    })
    .optional(),
  env: variables.optional(),
  prepare: z.unknown().optional(),
  deploy: z.unknown().optional(),
  kill: z.unknown().optional(),
  list: z.unknown().optional(),
  maxAgents: z.number().int().positive().optional(),
  completes: z
    .strictObject({
      inside: z.unknown().optional(),
      outside: z.unknown().optional(),
      exit: z.unknown().optional(),
    })
    .optional(),
  recover: z.unknown().optional(),
  tmux: z
    .union([z.enum(['session', 'pane']), z.literal(false)], {
      error: 'expected "session", "pane" or false',
    })
    .optional(),
  claude: z
    .strictObject({
      directives: z.enum(['prompt', 'environment', 'orders']).optional(),
      covers: z.array(z.string().startsWith('/', 'expected an absolute path')).optional(),
      onStart: text.optional(),
      startsWithinMs: z.number().int().positive().max(3_600_000).optional(),
    })
    .optional(),
  load: z.array(loadItem).optional(),
  files: z.partialRecord(fileClass, patterns).optional(),
  keeps: z.array(z.strictObject({ path: pattern, why: text })).optional(),
  registries: z
    .array(
      z.strictObject({
        name: text,
        path: pattern,
        agents: pointer,
        id: text.optional(),
        status: text.optional(),
        reason: text.optional(),
        active: pointer.optional(),
      }),
    )
    .optional(),
  statuses: z.partialRecord(z.enum(endings), text).optional(),
  logs: z
    .strictObject({
      live: text,
      archived: text.optional(),
      records: z.array(z.strictObject({ archived: text, tool: text })).optional(),
    })
    .optional(),
  mount: z.array(text).optional(),
  image: text.optional(),
  install: z.strictObject({ run: text, inputs: z.array(text).optional() }).optional(),
})
export type Checked = z.infer<typeof definitionSchema>
