import { shapeObjection } from './check-shape.ts'
import { refuse } from './refuse.ts'
import { parameters, type Settings } from './settings.ts'

const inPrompt = /\[\[fake-claude\b([^\]]*)\]\]/g
const word = /(?:[^\s"]|"[^"]*")+/g

/**
 * Reads the settings of this claude from the environment variable FAKE_CLAUDE, and from `[[fake-claude key=value ...]]` in
 * the prompt. For each key the prompt wins: orchestrators pass prompts on, while tmux drops the environment.
 */
export function readSettings(prompt: string): Settings {
  const settings: Partial<Settings> = {}
  apply(settings, process.env.FAKE_CLAUDE ?? '', 'the environment variable FAKE_CLAUDE')
  for (const [, words] of prompt.matchAll(inPrompt))
    apply(settings, words ?? '', 'the directive in the prompt')
  settings.taskId ??= mentioned(prompt, 'task')
  settings.agentId ??= mentioned(prompt, 'agent')
  const defaults = Object.values(parameters).map(({ setting, otherwise }) => [setting, otherwise])
  const complete = { ...Object.fromEntries(defaults), ...settings } as Settings
  const sentence = shapeObjection(complete)
  if (sentence) refuse(`fake-claude: ${sentence}.`)
  return complete
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
