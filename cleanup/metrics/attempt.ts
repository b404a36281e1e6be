import { messageOf } from '../errors.ts'

/** Looks, and keeps what kept it from seeing, in words, instead of throwing. */
export async function attempt<T>(problems: string[], look: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await look()
  } catch (error) {
    problems.push(messageOf(error))
    return undefined
  }
}
