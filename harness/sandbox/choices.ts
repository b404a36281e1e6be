/** What `--sandbox` accepts. */
export const sandboxChoices = ['auto', 'container', 'namespace'] as const
export type SandboxChoice = (typeof sandboxChoices)[number]
