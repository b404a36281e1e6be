import { availableParallelism } from 'node:os'

/** How many sequences run by default: about a minute on two cores. */
const usualRuns = 24

export interface Settings {
  runs: number
  seed: number
  /** The path of a failure below its seed, as fast-check prints it: only that sequence is run. */
  path?: string
  workers: number
}

/** Reads MODEL_RUNS, MODEL_SEED, MODEL_PATH and MODEL_WORKERS. @throws for what is not a number */
export function readSettings(environment: NodeJS.ProcessEnv): Settings {
  const { MODEL_PATH: path } = environment
  const runs = wholeNumber(environment, 'MODEL_RUNS', usualRuns)
  const seed = wholeNumber(environment, 'MODEL_SEED', Math.floor(Math.random() * 2 ** 31))
  const workers = wholeNumber(environment, 'MODEL_WORKERS', availableParallelism() + 1)
  return { runs, seed, workers, ...(path && { path }) }
}

/** The seed and number of sequences for each worker. Every worker has a sandbox of its own. */
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
