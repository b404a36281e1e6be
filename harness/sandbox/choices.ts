/** What `--sandbox` accepts. */
export const sandboxChoices = ['auto', 'namespace'] as const
export type SandboxChoice = (typeof sandboxChoices)[number]
