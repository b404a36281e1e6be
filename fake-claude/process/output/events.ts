import { randomBytes, randomUUID } from 'node:crypto'

/** One line of stream-json. */
export interface Event {
  type: string
  uuid: string
  session_id: string
  [field: string]: unknown
}

export interface ServerStatus {
  name: string
  status: 'connected' | 'failed'
  source: string
}

export interface Surroundings {
  sessionId: string
  cwd: string
  model: string
  permissionMode: string
  version: string
}

export interface ToolUse {
  id: string
  name: string
  input: Record<string, unknown>
}

const builtIn = [
  'Task',
  'Bash',
  'Glob',
  'Grep',
  'Read',
  'Edit',
  'Write',
  'WebFetch',
  'TodoWrite',
  'WebSearch',
]
const usage = {
  input_tokens: 12,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: 34,
  service_tier: 'standard',
}

/** Builds the events of one session, with the fields that the real ones have. */
export class Events {
  readonly #about: Surroundings
  readonly #started = Date.now()
  #turns = 0
  #results = 0
  #init: Record<string, unknown> = {}

  constructor(about: Surroundings) {
    this.#about = about
  }

  init(servers: ServerStatus[], tools: string[]): Event {
    const { cwd, model, permissionMode, version } = this.#about
    this.#init = {
      cwd,
      tools: [...builtIn, ...tools],
      mcp_servers: servers,
      model,
      permissionMode,
      slash_commands: ['compact', 'context', 'cost', 'init', 'review'],
      apiKeySource: 'none',
      claude_code_version: version,
      output_style: 'default',
      agents: ['general-purpose', 'Explore', 'Plan'],
      skills: [],
      plugins: [],
    }
    return this.initAgain()
  }

  /** The init event again: claude prints it once more when a background task wakes it. */
  initAgain(): Event {
    return this.system('init', this.#init)
  }

  system(subtype: string, fields: Record<string, unknown>): Event {
    return { type: 'system', subtype, ...fields, ...this.#identity() }
  }

  text(text: string): Event {
    return this.#assistant({ type: 'text', text })
  }

  toolUse({ id, name, input }: ToolUse): Event {
    return this.#assistant({ type: 'tool_use', id, name, input })
  }

  toolResult(use: ToolUse, content: string, isError = false, detail: unknown = content): Event {
    const block = { type: 'tool_result', tool_use_id: use.id, content, is_error: isError }
    return this.#user([block], isError ? `Error: ${content}` : detail)
  }

  interrupted(): Event {
    return this.#user([{ type: 'text', text: '[Request interrupted by user for tool use]' }], undefined)
  }

  /** `afterwards`: how many ms from now it will be printed, for an event that is made before its time. */
  result(text: string, afterwards = 0): Event {
    return this.#result('success', { is_error: false, result: text, stop_reason: 'end_turn' }, afterwards)
  }

  errorDuringExecution(): Event {
    const errors = ['Request was aborted.']
    return this.#result('error_during_execution', { is_error: true, errors, stop_reason: 'tool_use' }, 0)
  }

  #assistant(block: { type: string } & Record<string, unknown>): Event {
    this.#turns += 1
    const message = {
      id: `msg_${randomBytes(12).toString('hex')}`,
      type: 'message',
      role: 'assistant',
      model: this.#about.model,
      content: [block],
      stop_reason: block.type === 'tool_use' ? 'tool_use' : 'end_turn',
      stop_sequence: null,
      usage,
    }
    return { type: 'assistant', message, parent_tool_use_id: null, ...this.#identity() }
  }

  #user(content: Record<string, unknown>[], detail: unknown): Event {
    const message = { role: 'user', content }
    const identity = this.#identity()
    return { type: 'user', message, parent_tool_use_id: null, ...identity, tool_use_result: detail }
  }

  // As in the real output, the type is not the first field, so that a reader which expects that fails here too.
  #result(subtype: string, outcome: Record<string, unknown>, afterwards: number): Event {
    const lasted = Date.now() - this.#started + afterwards
    return {
      ...outcome,
      duration_ms: lasted,
      duration_api_ms: Math.round(lasted / 2),
      type: 'result',
      subtype,
      num_turns: this.#turns,
      terminal_reason: subtype === 'success' ? 'completed' : 'aborted_tools',
      total_cost_usd: 0.0123,
      usage,
      modelUsage: { [this.#about.model]: { inputTokens: 12, outputTokens: 34, costUSD: 0.0123 } },
      permission_denials: [],
      result_index: this.#results++,
      ...this.#identity(),
    }
  }

  #identity(): { session_id: string; uuid: string } {
    return { session_id: this.#about.sessionId, uuid: randomUUID() }
  }
}

export function toolUse(name: string, input: Record<string, unknown>): ToolUse {
  return { id: `toolu_${randomBytes(12).toString('hex')}`, name, input }
}
