/** Every persona by name: all that is read before anything runs. Each is a list of steps in a file of its own. */
export const personaNames = ['plain', 'completes', 'exits', 'works', 'crashes', 'idles', 'talks'] as const

export type PersonaName = (typeof personaNames)[number]
