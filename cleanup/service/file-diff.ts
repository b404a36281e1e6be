/** The lines that differ between two texts, `- ` before the old and `+ ` before the new, in order. */
export function difference(before: string, after: string): string[] {
  const [old, now] = [before.split('\n'), after.split('\n')]
  const common = longestCommon(old, now)
  const lines: string[] = []
  let [i, j] = [0, 0]
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      i++
      j++
    } else if (j >= now.length || (i < old.length && at(common, i + 1, j) >= at(common, i, j + 1)))
      lines.push(`- ${old[i++]}`)
    else lines.push(`+ ${now[j++]}`)
  }
  return lines
}

/** How many lines the rests of both texts, from each pair of lines on, have in common. */
function longestCommon(old: readonly string[], now: readonly string[]): number[][] {
  const common = Array.from({ length: old.length + 1 }, () => new Array<number>(now.length + 1).fill(0))
  for (let i = old.length - 1; i >= 0; i--)
    for (let j = now.length - 1; j >= 0; j--) {
      const row = common[i] ?? []
      row[j] =
        old[i] === now[j]
          ? 1 + at(common, i + 1, j + 1)
          : Math.max(at(common, i + 1, j), at(common, i, j + 1))
    }
  return common
}

const at = (table: readonly number[][], i: number, j: number): number => table[i]?.[j] ?? 0
