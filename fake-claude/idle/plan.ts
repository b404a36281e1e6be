import { join } from 'node:path'
import { type BashTool, quoted } from '../process/children/bash-tools.ts'
import type { Claude } from '../process/claude.ts'
import { stepsFor } from '../process/ending/ending.ts'
import { lastWords } from '../process/ending/last-words.ts'
import { handled } from '../process/ending/signals.ts'
import type { Event } from '../process/output/events.ts'
import type { Ending } from '../profiles.ts'

/** The plan for idle.sh: shell variables with everything that it needs to end as this claude would. */
export function planFor(claude: Claude, tools: BashTool[], plan: string, stdin: string): string {
  const { profile, settings, servers, files, places } = claude
  const pidsOf = (some: BashTool[]) => some.map(tool => tool.pid).join(' ')
  const variables: Record<string, string> = {
    CLAUDE: String(process.pid),
    PLAN: plan,
    FIFO: join(places.temporary, `idle-${process.pid}.fifo`),
    HELD: servers.children.length > 0 ? 'yes' : '',
    STDIN: stdin.startsWith('/dev/') ? stdin : '/dev/null',
    JOURNAL: settings.journal ?? '',
    HANDLED: handled(profile).map(short).join(' '),
    MCP: servers.children.map(child => child.pid).join(' '),
    FOREGROUND: pidsOf(tools.filter(tool => !tool.background)),
    BACKGROUND: pidsOf(tools.filter(tool => tool.background)),
    REMOVE: [...files.removedOnExit].join('\n'),
    BACKGROUND_WORDS: lines(claude, backgroundEnded(claude, tools)),
    FOREGROUND_WORDS: lines(claude, foregroundEnded(claude, tools)),
  }
  for (const cause of [...handled(profile), 'exit'] as const) {
    const ending = profile.endings[cause] as Ending
    const name = cause === 'exit' ? 'EXIT' : short(cause)
    variables[`${name}_CODE`] = String(ending.code)
    variables[`${name}_STEPS`] = steps(ending, tools.length > 0)
    variables[`${name}_ABRUPT`] = ending.abrupt ? 'yes' : ''
    variables[`${name}_WORDS`] = ending.abrupt ? '' : lines(claude, lastWords(claude, cause))
  }
  return Object.entries(variables)
    .map(([name, value]) => `${name}=${quoted(value)}\n`)
    .join('')
}

// `at:to:signal`, with a last step for nobody where the ending has a shortest time.
function steps(ending: Ending, hasBash: boolean): string {
  const real = stepsFor(ending, hasBash).map(({ at, to, signal }) => `${at}:${to}:${short(signal)}`)
  return [...real, ...(ending.lasts ? [`${ending.lasts}:nobody:`] : [])].join(' ')
}

function short(signal: string): string {
  return signal.replace(/^SIG/, '')
}

// Each line of output, followed by its entry for the journal.
function lines({ flags }: Claude, events: Event[]): string {
  if (flags.outputFormat !== 'stream-json') return ''
  const entry = ({ uuid, type }: Event) => JSON.stringify({ what: 'event', uuid, type }).slice(1, -1)
  return events.flatMap(event => [JSON.stringify(event), entry(event)]).join('\n')
}

function foregroundEnded({ events }: Claude, tools: BashTool[]): Event[] {
  const foreground = tools.filter(tool => !tool.background)
  return foreground.map(tool => events.toolResult(tool.use, 'Exit code 137', true))
}

// The end of a background task wakes claude: it prints another init event, a text, and a second result.
function backgroundEnded({ events, settings }: Claude, tools: BashTool[]): Event[] {
  const background = tools.filter(tool => tool.background)
  if (background.length === 0) return []
  const ends = background.flatMap(({ taskId, use, output }) => [
    events.system('task_updated', { task_id: taskId, patch: { status: 'completed' } }),
    events.system('task_notification', {
      task_id: taskId,
      tool_use_id: use.id,
      status: 'completed',
      output_file: output,
    }),
  ])
  const text = 'The background task has ended.'
  return [
    ...ends,
    events.system('background_tasks_changed', { tasks: [] }),
    events.initAgain(),
    events.text(text),
    events.result(text, settings.taskSeconds * 1000),
  ]
}
