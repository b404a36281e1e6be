/** "1 round", "20 rounds". */
export const counted = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`

/** The width of the longest usual outcome, "back in 12.3 s". */
const outcomeWidth = 14

/** An outcome and the name that it belongs to. The name is whole, so that it can be searched for. */
export function inColumns(outcome: string, name: string): string {
  return `${outcome.padEnd(outcomeWidth)}  ${name}`
}

/** A text that is no longer than this many characters. */
export function cut(text: string, width: number): string {
  if (text.length <= width) return text
  // Not within a pair of surrogates.
  return `${text.slice(0, Math.max(1, width - 1)).replace(/[\ud800-\udbff]$/, '')}…`
}

export function seconds(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`
}

/** A line as several, broken at spaces: those after the first are indented further. A word that is longer than the width stays whole. */
export function wrapped(line: string, width: number): string[] {
  const indent = /^ */.exec(line)?.[0] ?? ''
  const lines: string[] = []
  let rest = line
  while (rest.length > width) {
    const before = rest.lastIndexOf(' ', width)
    const end = before > rest.search(/\S/) ? before : rest.indexOf(' ', width)
    if (end === -1) break
    lines.push(rest.slice(0, end))
    rest = `${indent && `${indent}  `}${rest.slice(end + 1)}`
  }
  return [...lines, rest]
}
