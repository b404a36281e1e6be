import { availableParallelism } from 'node:os'

/** How many sequences are tried where nobody says otherwise: about a minute on two cores. */
const usualRuns = 24

export interface Settings {
  runs: number
  seed: number
  /** Where a failure was found below its seed, as fast-check prints it: that one sequence is run and nothing else. */
  path?: string
  workers: number
}

/** From MODEL_RUNS, MODEL_SEED, MODEL_PATH and MODEL_WORKERS. @throws for what is not a number. */
export function readSettings(environment: NodeJS.ProcessEnv): Settings {
  const { MODEL_PATH: path } = environment
  const runs = wholeNumber(environment, 'MODEL_RUNS', usualRuns)
  const seed = wholeNumber(environment, 'MODEL_SEED', Math.floor(Math.random() * 2 ** 31))
  const workers = wholeNumber(environment, 'MODEL_WORKERS', availableParallelism() + 1)
  return { runs, seed, workers, ...(path && { path }) }
}

/** The sequences of each of the workers, which have a sandbox each. */
export function shards({
  runs,
  seed,
  path,
  workers,
}: Settings): { seed: number; path?: string; runs: number }[] {
  if (path) return [{ seed, path, runs: 1 }]
  const used = Math.min(workers, runs)
  const share = (index: number) => Math.ceil((runs - index) / used)
  return Array.from({ length: used }, (_, index) => ({ seed: seed + index, runs: share(index) }))
}

function wholeNumber(environment: NodeJS.ProcessEnv, name: string, otherwise: number): number {
  const text = environment[name]
  if (text === undefined || /^\d+$/.test(text)) return Number(text ?? otherwise)
  throw new Error(`${name} is ${JSON.stringify(text)}: expected a whole number.`)
}
