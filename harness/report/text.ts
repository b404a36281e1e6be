import { oneLine } from '../terminal.ts'
import type { Finding, Verdict } from '../verdict/verdict.ts'

/** Every finding of a verdict, grouped by agent: what it is, its mechanism, and the command that shows it. */
export function findingsText({ leaks, collateral }: Verdict): string {
  return [...section('leak', leaks), ...section('collateral', collateral)].join('\n')
}

function section(title: string, findings: Finding[]): string[] {
  const owners = [...new Set(findings.map(({ owner }) => owner?.agent))]
  return owners.flatMap(agent => {
    const mine = findings.filter(({ owner }) => owner?.agent === agent)
    const whose = agent ? `of agent ${agent}` : 'without a known owner'
    return [
      `${plural(mine.length, title)} ${whose}, seen for ${seconds(mine[0]?.outlivedMs ?? 0)}`,
      ...mine.flatMap(lines),
    ]
  })
}

function lines({ kind, what, mechanism, owner, command }: Finding): string[] {
  const evidence = owner ? ` (owner: ${owner.evidence})` : ''
  const texts = [
    `  ${kind.padEnd(10)} ${what}`,
    `             ${mechanism}${evidence}`,
    `             $ ${command}`,
  ]
  return texts.map(oneLine)
}

/** The width of the longest outcome, "back at the baseline after 12.3 s". */
const outcomeWidth = 34

/**
 * A name and its outcome. On a terminal of so many columns a long name is wrapped, so that outcomes stay in their
 * column. In a file it stays whole, so that it can be searched for.
 */
export function inColumns(name: string, outcome: string, columns?: number): string {
  if (!columns) return `${name.padEnd(70)} ${outcome}`
  const width = Math.min(70, Math.max(20, columns - outcomeWidth - 3))
  const [first = '', ...more] = wrap(name, width)
  return [`${first.padEnd(width)} ${outcome}`, ...more.map(line => `  ${line}`)].join('\n')
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) lines.push(`${lines.pop()} ${word}`)
    else lines.push(word)
  }
  return lines
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 || word === 'collateral' ? '' : 's'}`
}

export function seconds(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`
}
