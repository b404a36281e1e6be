import { oneLine } from '../terminal.ts'
import type { Finding, Verdict } from '../verdict/verdict.ts'
import { kinds, owners } from './finding-words.ts'
import { processTree, type TreeLine } from './process-tree.ts'
import { cut, seconds } from './text.ts'

/** How many lines of a list are printed before the rest is only counted. */
const mostLines = { mechanisms: 12, processes: 24, files: 8, commands: 3 }

/** The width of a text for people, in columns, without what is in front of it. */
const width = 76

type Findings = Pick<Verdict, 'leaks' | 'collateral'>

/**
 * What is wrong, in a few lines: how many of each kind and by which mechanism; the processes as a tree, with what they hold and
 * why they count as the agent's; the files; the commands that show it.
 */
export function findingsSummary({ leaks, collateral }: Findings): string {
  return [...summary('leaked', leaks), ...summary('harmed', collateral)].map(oneLine).join('\n')
}

/** Its first lines: how many of each kind, and by which mechanism. */
export function findingsBrief({ leaks, collateral }: Verdict): string {
  return [...brief('leaked', leaks), ...brief('harmed', collateral)].map(oneLine).join('\n')
}

/** Every finding, grouped by agent: what it is, its mechanism, and the command that shows it. */
export function findingsText({ leaks, collateral }: Findings): string {
  const sections = [...section('leak', leaks), ...section('collateral', collateral)]
  return sections.map(oneLine).join('\n')
}

function summary(word: string, findings: readonly Finding[]): string[] {
  if (findings.length === 0) return []
  return [
    ...brief(word, findings),
    ...tree(findings),
    ...shortened(files(findings), mostLines.files),
    ...shortened(
      commands(findings).map(line => `$ ${line}`),
      mostLines.commands,
    ),
  ]
}

function brief(word: string, findings: readonly Finding[]): string[] {
  if (findings.length === 0) return []
  return [
    `${word}: ${owners(findings)}, seen for ${seconds(findings[0]?.outlivedMs ?? 0)}:`,
    ...shortened(mechanisms(findings), mostLines.mechanisms).map(line => `  ${line}`),
  ]
}

/** How many of each kind, and why they are there, the most frequent first. */
function mechanisms(findings: readonly Finding[]): string[] {
  const groups = Map.groupBy(findings, ({ kind, why }) => `${kind} ${why}`)
  const sorted = [...groups.values()].toSorted((one, other) => other.length - one.length)
  return sorted.flatMap(group => {
    const [first] = group
    if (!first) return []
    const name = kinds[first.kind][group.length === 1 ? 0 : 1]
    return `${String(group.length).padStart(3)} ${name.padEnd(12)} ${first.why}`
  })
}

/** With the evidence of each process as a letter that is explained below. */
function tree(findings: readonly Finding[]): string[] {
  const lines = processTree(findings)
  const shown = lines.slice(0, mostLines.processes)
  const reasons = [...new Set(shown.flatMap(({ evidence }) => evidence ?? []))]
  const letter = (evidence: string) => String.fromCharCode(97 + (reasons.indexOf(evidence) % 26))
  const text = ({ branch, text: words, evidence }: TreeLine) => {
    const mark = evidence === undefined ? '' : ` [${letter(evidence)}]`
    return `${branch}${cut(words, width - branch.length - mark.length)}${mark}`
  }
  return [
    ...shown.map(text),
    ...rest(lines.length - shown.length),
    ...reasons.map(reason => `[${letter(reason)}] its owner by: ${reason}`),
  ]
}

/** What has no process of its own. */
function files(findings: readonly Finding[]): string[] {
  const kindsOfFiles = new Set(['file', 'registry', 'line'])
  return findings.filter(({ kind }) => kindsOfFiles.has(kind)).map(({ what }) => cut(what, width))
}

/** One command for all processes, and those of everything else, each once. */
function commands(findings: readonly Finding[]): string[] {
  const pids = findings.flatMap(({ kind, pid }) => (kind === 'process' && pid !== undefined ? pid : []))
  const ps = pids.length > 0 ? [`ps -o pid,ppid,pgid,sid,tty,stat,etime,args -p ${pids.join(',')}`] : []
  const others = findings.flatMap(({ kind, command }) => (kind === 'process' ? [] : command))
  return [...ps, ...new Set(others)]
}

function shortened(lines: string[], most: number): string[] {
  return [...lines.slice(0, most), ...rest(lines.length - most)]
}

function rest(count: number): string[] {
  return count > 0 ? [`… and ${count} more (--verbose)`] : []
}

function section(title: string, findings: readonly Finding[]): string[] {
  const groups = Map.groupBy(findings, ({ owner }) => owner?.agent)
  return [...groups].flatMap(([agent, mine]) => {
    const whose = agent ? `of agent ${agent}` : 'without a known owner'
    const count = `${mine.length} ${title}${mine.length === 1 || title === 'collateral' ? '' : 's'}`
    return [`${count} ${whose}, seen for ${seconds(mine[0]?.outlivedMs ?? 0)}`, ...mine.flatMap(details)]
  })
}

function details({ kind, what, why, owner, command }: Finding): string[] {
  const evidence = owner ? ` (owner: ${owner.evidence})` : ''
  return [`  ${kind.padEnd(10)} ${what}`, `             ${why}${evidence}`, `             $ ${command}`]
}
