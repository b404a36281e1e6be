import { isAbsolute, resolve } from 'node:path'
import type { z } from 'zod'
import { fieldPath, issueText, shown } from './issue-text.ts'
import { namesIn, namesInAll, quotedPlaceholder } from './placeholders.ts'
import { type Checked, callForms, definitionSchema, insideForms, listForms } from './schema.ts'
import type {
  Layout,
  PlannedCall,
  PlannedInsideCall,
  PlannedList,
  PlannedLogs,
  ResultSource,
  System,
} from './system.ts'

/** Where a definition was written. */
export interface Source {
  /** The folder of the configuration, from which its relative paths lead. */
  folder: string
  /** The module in which its functions are; undefined for JSON, which has none. */
  module?: string
  /** How the definition is reached from the module's exports: `['default', 1]`. */
  path: (string | number)[]
}

/** A definition as the rig uses it, or every mistake in it, each with the path of its field. */
export type Outcome = { system: System } | { mistakes: string[] }

const defaultTimeoutMs = 60_000

/** Values that every call has: the folders of the sandbox and the configuration's. With an install step, its folder, too. */
const places = ['work', 'home', 'project', 'node']
/** Values of one agent, for the calls that are about it. */
const ofAgent = ['id', 'session', 'pane', 'socket', 'pid', 'type']

/** Checks a definition. It may be anything: somebody else wrote it. */
export function checkDefinition(definition: unknown, source: Source): Outcome {
  try {
    return checked(definition, source)
  } catch (error) {
    // Getters, proxies and folders of folders without an end throw when they are read.
    return { mistakes: [`cannot be read: ${String(error)}`] }
  }
}

function checked(definition: unknown, source: Source): Outcome {
  const parsed = definitionSchema.safeParse(definition)
  const planner = new Planner(source)
  if (parsed.success) {
    const system = planner.plan(parsed.data)
    return planner.mistakes.length > 0 ? { mistakes: planner.mistakes } : { system }
  }
  const known = Object.keys(definitionSchema.shape)
  const { issues } = parsed.error
  const mistakes = issues.map(issue => issueText(issue, definition, [], known))
  return { mistakes: [...mistakes, ...mistakesInRest(definition, issues, planner)] }
}

/** The mistakes in the fields that have the right shape, so that all are reported at once. */
function mistakesInRest(definition: unknown, issues: z.core.$ZodIssue[], planner: Planner): string[] {
  if (typeof definition !== 'object' || definition === null) return []
  const wrong = issues.flatMap(issue =>
    issue.code === 'unrecognized_keys' && issue.path.length === 0 ? issue.keys : [String(issue.path[0])],
  )
  const rest = Object.fromEntries(Object.entries(definition).filter(([name]) => !wrong.includes(name)))
  const parsed = definitionSchema.safeParse({ name: 'unnamed', ...rest })
  if (!parsed.success) return []
  planner.plan(parsed.data)
  // What a field that was left out would have given is not missing.
  return planner.mistakes.filter(mistake => !wrong.some(name => mistake.startsWith(`${name}:`)))
}

/** Turns a definition of the right shape into a plan, and collects what is wrong with it. */
class Planner {
  readonly mistakes: string[] = []
  readonly #source: Source

  constructor(source: Source) {
    this.#source = source
  }

  plan(definition: Checked): System {
    const { name, env = {}, tmux = 'session', claude = {}, load = [], keeps = [], mcp } = definition
    const folders = definition.install ? [...places, 'install'] : places
    const prepare = this.#steps(definition.prepare ?? [], ['prepare'], folders)
    const prepared = prepare.flatMap(call => namesOf(call.result))
    const known = [...folders, ...prepared]
    const deploy = this.#steps(definition.deploy, ['deploy'], [...known, 'prompt', 'type'])
    const forAgent = [...known, ...deploy.flatMap(call => namesOf(call.result)), ...ofAgent]
    const { inside, outside, exit } = definition.completes ?? {}
    const { recover } = definition
    const kill = optional(definition.kill, call => this.#steps(call, ['kill'], [...forAgent, 'reason']))
    const byItself = recover === 'by itself'
    const recoverCall = optional(byItself ? undefined : recover, call =>
      this.#steps(call, ['recover'], forAgent),
    )
    const outsideCall = optional(outside, call => this.#steps(call, ['completes', 'outside'], forAgent))
    const insideCall = optional(inside, call => this.#inside(call, forAgent))
    const exitCalls = optional(exit, value => this.#exit(value, forAgent))
    if (inside !== undefined && exit !== undefined)
      this.#mistake(
        ['completes'],
        'expected inside or exit, and found both: an agent that reports its completion may exit afterwards',
      )
    const list = optional(definition.list, call => this.#list(call, known))
    if (mcp) this.#names(mcp, ['mcp'], folders)
    this.#names(env, ['env'], folders)
    if (!mcp)
      this.#requireServer({
        prepare,
        deploy,
        kill,
        outside: outsideCall,
        'completes.exit': exitCalls,
        recover: recoverCall,
        list: list && [list.call],
      })
    if (claude.directives === 'environment' && deploy.some(({ kind }) => kind !== 'shell'))
      this.#mistake(
        ['claude', 'directives'],
        'expected "prompt" or "orders", because only a deploy by a shell command has an environment of its own',
      )
    const logs = definition.logs && this.#logs(definition.logs, forAgent)
    const { folder } = this.#source
    return defined({
      name,
      server: mcp && { env: {}, ...defined(mcp) },
      env,
      prepare,
      deploy,
      kill,
      list,
      inside: insideCall,
      outside: outsideCall,
      exit: exitCalls,
      recover: recoverCall,
      recoversByItself: byItself,
      maxAgents: definition.maxAgents,
      tmux,
      directives: claude.directives ?? 'prompt',
      covers: claude.covers ?? [],
      onStart: claude.onStart,
      startsWithinMs: claude.startsWithinMs,
      load,
      layout: layoutOf(definition),
      keeps,
      statuses: definition.statuses ?? {},
      logs,
      mounts: (definition.mount ?? []).map(path => resolve(folder, path)),
      image: definition.image,
      install: definition.install && { inputs: [], ...defined(definition.install), cwd: folder },
      project: folder,
    })
  }

  #mistake(path: readonly PropertyKey[], what: string): undefined {
    this.mistakes.push(`${fieldPath(path)}: ${what}`)
  }

  /** Every placeholder must have a value; an unknown one is a typo. */
  #names(value: unknown, path: readonly PropertyKey[], known: readonly string[]): void {
    for (const name of new Set(namesInAll(value)))
      if (!known.includes(name))
        this.#mistake(
          path,
          `unknown placeholder {${name}}; there are ${[...new Set(known)].map(one => `{${one}}`).join(', ')}, and {{${name}}} is the text {${name}}`,
        )
  }

  /** A call or a list of calls, of which each knows what the results before it name. */
  #steps(calls: unknown, path: (string | number)[], known: readonly string[]): PlannedCall[] {
    const names = [...known]
    if (Array.isArray(calls) && calls.length === 0 && path[0] !== 'prepare')
      this.#mistake(path, 'expected at least one call, and found an empty list')
    return [calls].flat().flatMap((call, at) => {
      const planned = this.#call(call, Array.isArray(calls) ? [...path, at] : path, names)
      names.push(...namesOf(planned?.result))
      return planned ?? []
    })
  }

  #list(call: unknown, known: readonly string[]): PlannedList | undefined {
    const parsed = this.#form(call, ['list'], listForms, '{ tool, each } or { run, each }')
    if (!parsed) return undefined
    const { each, ...rest } = parsed
    const planned = this.#call(rest, ['list'], known)
    return planned && { call: planned, each }
  }

  #call(call: unknown, path: (string | number)[], known: readonly string[]): PlannedCall | undefined {
    if (typeof call === 'function') return this.#ownFunction(path)
    const parsed = this.#form(call, path, callForms, '{ tool }, { run }, { read }, { module } or a function')
    if (!parsed) return undefined
    const { timeoutMs = defaultTimeoutMs, result, failedWhen } = parsed
    for (const name of namesOf(result))
      if (places.includes(name))
        this.#mistake([...path, 'result'], `{${name}} is a folder of the sandbox: choose another name`)
    const common = { timeoutMs, ...defined({ result, failedWhen }) }
    if ('read' in parsed) {
      this.#names(parsed.read, [...path, 'read'], known)
      return { kind: 'read', read: parsed.read, ...common }
    }
    if ('tool' in parsed) {
      const { tool, args = {} } = parsed
      this.#names(args, [...path, 'args'], known)
      return { kind: 'tool', tool, args, ...common }
    }
    if ('run' in parsed) {
      this.#shell(parsed, path, known)
      const { run, cwd, env = {} } = parsed
      return { kind: 'shell', run, env, ...defined({ cwd }), ...common }
    }
    const module = resolve(this.#source.folder, parsed.module)
    return { kind: 'function', module, path: [parsed.export ?? 'default'], ...common }
  }

  #ownFunction(path: (string | number)[]): PlannedCall | undefined {
    const { module } = this.#source
    if (module === undefined)
      return this.#mistake(
        path,
        'a function can only stand in a module, not in JSON: write { module, export }',
      )
    return {
      kind: 'function',
      module,
      path: [...this.#source.path, ...path],
      timeoutMs: defaultTimeoutMs,
    }
  }

  #inside(call: unknown, known: readonly string[]): PlannedInsideCall | undefined {
    const path = ['completes', 'inside']
    const parsed = this.#form(call, path, insideForms, '{ tool } or { run }')
    if (!parsed) return undefined
    if ('tool' in parsed) {
      this.#names(parsed.args, [...path, 'args'], known)
      return { tool: parsed.tool, args: parsed.args ?? {} }
    }
    this.#shell(parsed, path, known)
    return { run: parsed.run, env: parsed.env ?? {} }
  }

  /** The calls after claude's exit; none for `true`. */
  #exit(value: unknown, known: readonly string[]): PlannedCall[] {
    const path = ['completes', 'exit']
    if (value === true) return []
    if (typeof value === 'function' || (typeof value === 'object' && value !== null))
      return this.#steps(value, path, known)
    this.#mistake(path, `expected true, or a call that is made after the exit, and found ${shown(value)}`)
    return []
  }

  #shell(
    call: { run: string; cwd?: string | undefined; env?: Record<string, string> | undefined },
    path: (string | number)[],
    known: readonly string[],
  ): void {
    for (const field of ['run', 'cwd', 'env'] as const) this.#names(call[field], [...path, field], known)
    const quoted = quotedPlaceholder(call.run)
    if (quoted)
      this.#mistake(
        [...path, 'run'],
        `{${quoted}} stands inside quotes, and becomes a quoted word: leave them out`,
      )
  }

  /** Reads a call in the form whose field it has. */
  #form<Forms extends Record<string, z.ZodObject>>(
    call: unknown,
    path: (string | number)[],
    forms: Forms,
    expected: string,
  ): z.infer<Forms[keyof Forms]> | undefined {
    const name = Object.keys(forms).find(key => typeof call === 'object' && call !== null && key in call)
    const form = name === undefined ? undefined : forms[name]
    if (!form)
      return this.#mistake(
        path,
        call === undefined ? `is missing; expected ${expected}` : `expected ${expected}`,
      )
    const parsed = form.safeParse(call)
    if (parsed.success) return parsed.data as z.infer<Forms[keyof Forms]>
    const known = Object.keys(form.shape)
    for (const issue of parsed.error.issues) {
      const what = issueText(issue, call, path, known)
      this.mistakes.push(
        issue.path.length === 0 ? what.replace(/; there are.*$/, `; there are ${known.join(', ')}`) : what,
      )
    }
    return undefined
  }

  #requireServer(calls: Record<string, PlannedCall[] | undefined>): void {
    for (const [name, some] of Object.entries(calls))
      for (const call of some ?? [])
        if (call.kind === 'tool')
          this.#mistake([name], `calls the tool ${call.tool}, and there is no MCP server: add the field mcp`)
  }

  #logs(
    { live, archived, records = [] }: NonNullable<Checked['logs']>,
    known: readonly string[],
  ): PlannedLogs {
    this.#names([live, archived, records], ['logs'], known)
    for (const path of [live, archived, ...records.map(one => one.archived)])
      if (path !== undefined && !isAbsolute(path) && !path.startsWith('{'))
        this.#mistake(['logs'], `expected a path that begins with "/" or a placeholder, and found "${path}"`)
    if (!namesIn(live).some(name => ofAgent.includes(name)))
      this.#mistake(
        ['logs', 'live'],
        'expected a placeholder of the agent, such as {id}: each agent has its own log',
      )
    return { live, records, ...defined({ archived }) }
  }
}

function optional<T, Result>(value: T | undefined, use: (value: T) => Result): Result | undefined {
  return value === undefined ? undefined : use(value)
}

function namesOf(result: ResultSource | undefined): string[] {
  if (!result) return []
  if ('pointers' in result) return Object.keys(result.pointers)
  return [...result.pattern.source.matchAll(/\(\?<(\w+)>/g)].map(([, name = '']) => name)
}

function layoutOf({ files = {}, registries = [] }: Checked): Layout {
  return {
    files: Object.entries(files).flatMap(([name, patterns]) =>
      (patterns ?? []).map(path => ({ path, class: name as Layout['files'][number]['class'] })),
    ),
    registries: registries.map(one => ({ id: 'id', status: 'status', ...defined(one) })),
  }
}

type Defined<T> = { [Key in keyof T as undefined extends T[Key] ? never : Key]: T[Key] } & {
  [Key in keyof T as undefined extends T[Key] ? Key : never]?: Exclude<T[Key], undefined>
}

/** The object without the fields that are undefined. */
function defined<T extends object>(object: T): Defined<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Defined<T>
}
