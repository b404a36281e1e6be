import { objection } from './check-shape.ts'
import { refuse } from './refuse.ts'
import { parameters, type Settings } from './settings.ts'

const inPrompt = /\[\[fake-claude\b([^\]]*)\]\]/g
const word = /(?:[^\s"]|"[^"]*")+/g

/**
 * What this claude shall do: from the environment variable FAKE_CLAUDE, and from `[[fake-claude key=value ...]]` in
 * the prompt, which wins key by key (an orchestrator passes the prompt on, while tmux drops the environment).
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
  const sentence = objection(complete)
  if (sentence) refuse(`fake-claude: ${sentence}.`)
  return complete
}

function apply(settings: Partial<Settings>, words: string, where: string): void {
  for (const [text] of words.matchAll(word)) {
    const [key = '', ...rest] = text.split('=')
    const value = rest.join('=').replaceAll('"', '')
    const parameter = parameters[key]
    if (!parameter || rest.length === 0) {
      const known = Object.keys(parameters).join(', ')
      refuse(`fake-claude: ${where} has '${text}', expected key=value with one of the keys ${known}.`)
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

// `agent_id: X`, `AGENT ID: X`, `"agent_id": "X"`, `agent_id="X"`: the ways in which orchestrators tell an agent
// who it is.
function mentioned(prompt: string, whose: 'task' | 'agent'): string | undefined {
  const pattern = new RegExp(`\\b${whose}[_ -]?id["'\`*]*\\s*[:=]\\s*["'\`*]*([A-Za-z0-9][\\w.-]*)`, 'i')
  return prompt.match(pattern)?.[1]?.replace(/[.-]+$/, '')
}
