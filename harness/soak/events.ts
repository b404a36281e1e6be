/** The normal distribution's value that 95 of 100 do not exceed. */
const z = 1.645

/**
 * The most events that are to be expected where `seen` were: where more are, so few are seen in less than 5 of 100 cases. Events
 * come independently of each other (Poisson); by Wilson and Hilferty's formula (1931), to 1 %.
 */
export function mostEvents(seen: number): number {
  const k = seen + 1
  return k * (1 - 1 / (9 * k) + z / (3 * Math.sqrt(k))) ** 3
}

/** The fewest events that are to be expected where `seen` were. */
export function fewestEvents(seen: number): number {
  return seen === 0 ? 0 : seen * Math.max(0, 1 - 1 / (9 * seen) - z / (3 * Math.sqrt(seen))) ** 3
}
