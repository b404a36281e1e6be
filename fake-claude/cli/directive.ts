import { shapeObjection } from './check-shape.ts'
import { claimOrder } from './orders.ts'
import { refuse } from './refuse.ts'
import { parameters, type Settings } from './settings.ts'

const directive = /\[\[fake-claude\b([^\]]*)\]\]/g
const word = /(?:[^\s"]|"[^"]*")+/g

/** The settings of a claude, and where its directive stood. */
export interface Instructions {
  settings: Settings
  /** The prompt, the environment or the path of an order; undefined without a directive. */
  from: string | undefined
}

/**
 * Reads `[[fake-claude key=value ...]]` in the prompt. A prompt without one gets that of the environment variable
 * FAKE_CLAUDE_DIRECTIVE, or else of the next order in the folder.
 */
export function readInstructions(prompt: string, orders?: string): Instructions {
  const { text, from, where } = directiveFor(prompt, orders)
  const settings: Partial<Settings> = {}
  const directives = [...text.matchAll(directive)]
  if (directives.length === 0 && where !== inPrompt)
    refuse(`fake-claude: ${where} has no directive, expected [[fake-claude key=value ...]] in it.`)
  for (const [, words] of directives) apply(settings, words ?? '', where)
  settings.taskId ??= mentioned(prompt, 'task')
  settings.agentId ??= mentioned(prompt, 'agent')
  const defaults = Object.values(parameters).map(({ setting, otherwise }) => [setting, otherwise])
  const complete = { ...Object.fromEntries(defaults), ...settings } as Settings
  const sentence = shapeObjection(complete)
  if (sentence) refuse(`fake-claude: ${sentence}.`)
  return { settings: complete, from }
}

const inPrompt = 'the directive in the prompt'

interface Found {
  text: string
  from: string | undefined
  /** The same for a sentence. */
  where: string
}

function directiveFor(prompt: string, orders: string | undefined): Found {
  if (prompt.search(directive) >= 0) return { text: prompt, from: 'prompt', where: inPrompt }
  const given = process.env.FAKE_CLAUDE_DIRECTIVE
  if (given)
    return { text: given, from: 'environment', where: 'the environment variable FAKE_CLAUDE_DIRECTIVE' }
  const order = claimOrder(orders)
  if (order) return { text: order.text, from: order.path, where: `the order ${order.path}` }
  return { text: '', from: undefined, where: inPrompt }
}

function apply(settings: Partial<Settings>, words: string, where: string): void {
  for (const [text] of words.matchAll(word)) {
    const [key = '', ...rest] = text.split('=')
    const value = rest.join('=').replaceAll('"', '')
    const parameter = parameters[key]
    if (!parameter || rest.length === 0) {
      const keys = Object.keys(parameters).join(', ')
      refuse(`fake-claude: ${where} has '${text}', expected key=value with one of the keys ${keys}.`)
    }
    const parsed = parameter.parse(value)
    if (parsed === undefined) {
      const { expected } = parameter
      const what = typeof expected === 'string' ? expected : expected(value)
      refuse(`fake-claude: ${where} has ${key}='${value}', expected ${what}.`)
    }
    Object.assign(settings, { [parameter.setting]: parsed })
  }
}

// `agent_id: X`, `AGENT ID: X`, `"agent_id": "X"`, `agent_id="X"`: the ways in which orchestrators give an agent its id.
function mentioned(prompt: string, whose: 'task' | 'agent'): string | undefined {
  const pattern = new RegExp(`\\b${whose}[_ -]?id["'\`*]*\\s*[:=]\\s*["'\`*]*([A-Za-z0-9][\\w.-]*)`, 'i')
  return prompt.match(pattern)?.[1]?.replace(/[.-]+$/, '')
}
