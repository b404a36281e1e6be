/**
 * Instructions for the fake claude. They are part of the prompt, because orchestrators pass prompts on, and tmux drops
 * environments.
 */
export interface Directive {
  /** Which persona it plays; docs/claude.md#personas lists them. */
  persona: string
  /** Which version of the real Claude it behaves like. */
  profile?: 'legacy' | 'mid' | 'current'
  /** Any other parameter of the persona. */
  [parameter: string]: string | number | undefined
}

/** The directive as it stands in the prompt: `[[fake-claude persona=works profile=mid]]`. */
export function directiveText(directive: Directive): string {
  const words = Object.entries(directive).flatMap(([key, value]) =>
    value === undefined ? [] : `${key}=${value}`,
  )
  return `[[fake-claude ${words.join(' ')}]]`
}
