import type { ResourceSlope, SoakResult } from '../soak/result.ts'
import { counted } from './text.ts'

/** What a resource is called, with its unit. */
export const nameOf = ({ resource, unit }: ResourceSlope): string =>
  unit === 'bytes' ? `${resource}, MB` : resource

/** How many rounds there were, and how many of them count for nothing. */
export function roundsText({ rounds, agentsPerRound, warmUp }: SoakResult): string {
  const first = warmUp === 1 ? 'one warms up, and is' : `${warmUp} warm up, and are`
  const all = `${counted(rounds.length - 1, 'round')} of ${counted(agentsPerRound, 'agent')} (${rounds.at(-1)?.agents ?? 0})`
  return warmUp === 0 ? all : `${all}; the first ${first} left out of the slopes`
}

/** Before the first agent, at the end of the warm-up, and after the last round. */
export function amounts({ unit, baseline, warm, last }: ResourceSlope): string[] {
  return [baseline, warm, last].map(value => (unit === 'bytes' ? megabytes(value, 1) : String(value)))
}

/** `0.20 ± 0.01`: the slope, and the longer half of its interval. */
export function slopeText({ unit, perAgent, lower, upper }: ResourceSlope): string {
  if (perAgent === undefined || lower === undefined || upper === undefined) return '-'
  const half = Math.max(perAgent - lower, upper - perAgent)
  const [shown, width] = [perAgent, half].map(value =>
    unit === 'bytes' ? megabytes(value, 2) : value.toFixed(2),
  )
  return `${shown?.replace(/^-(0\.0+)$/, '$1')} ± ${width}`
}

/** What is said of a slope. */
export const verdictTexts = { pass: 'flat', kept: 'by policy', leak: 'LEAK', inconclusive: 'inconclusive' }

export const megabytes = (bytes: number, digits: number): string => (bytes / 1e6).toFixed(digits)
