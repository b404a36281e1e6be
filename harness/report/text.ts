import type { Finding, Verdict } from '../verdict/verdict.ts'

/** Every finding of a verdict, by agent; a finding is a line with its reason and the command that shows it. */
export function findingsText({ leaks, collateral }: Verdict): string {
  return [...section('leak', leaks), ...section('collateral', collateral)].join('\n')
}

function section(title: string, findings: Finding[]): string[] {
  const owners = [...new Set(findings.map(({ owner }) => owner?.agent))]
  return owners.flatMap(agent => {
    const mine = findings.filter(({ owner }) => owner?.agent === agent)
    const whose = agent ? `of agent ${agent}` : 'of nobody known'
    return [
      `${plural(mine.length, title)} ${whose}, seen for ${seconds(mine[0]?.outlivedMs ?? 0)}`,
      ...mine.flatMap(lines),
    ]
  })
}

function lines({ kind, what, mechanism, owner, command }: Finding): string[] {
  const known = owner ? ` (owner known: ${owner.evidence})` : ''
  return [`  ${kind.padEnd(10)} ${what}`, `             ${mechanism}${known}`, `             $ ${command}`]
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 || word === 'collateral' ? '' : 's'}`
}

export function seconds(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`
}
