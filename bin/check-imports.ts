import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { parseAst } from 'rolldown/parseAst'
import { type Area, architecture } from './architecture.ts'

/** Files by their path below the project, with the paths of those that each imports. */
type Imports = Map<string, string[]>

/**
 * Every import that the architecture does not allow, as a sentence: up or sideways between rows, across areas, and in
 * a circle. Imports of types count: whoever reads a file has to know what its types are.
 * @param sources the text of each file, by its path below the project
 */
export function findViolations(sources: Map<string, string>, areas: Area[] = architecture): string[] {
  const imports: Imports = new Map()
  for (const [file, text] of sources)
    imports.set(
      file,
      importsOf(file, text).filter(target => sources.has(target)),
    )
  return [
    ...misplaced(sources.keys(), areas),
    ...[...imports].flatMap(([file, targets]) => targets.flatMap(target => violation(file, target, areas))),
    ...cycles(imports),
  ]
}

/** The files that a file imports. */
const importsOf = (file: string, text: string): string[] =>
  specifiersIn(text, file.endsWith('x') ? 'tsx' : 'ts')
    .filter(specifier => specifier.startsWith('.'))
    .map(specifier => join(file, '..', specifier))

/** What a module imports, each once: by import and export statements, `import(...)`, and `import('...')` types. */
export function specifiersIn(text: string, lang: 'ts' | 'tsx' | 'js'): string[] {
  const found = new Set<string>()
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    const { type, source, expression } = node as Record<string, unknown>
    const literal = type === 'TSExternalModuleReference' ? expression : source
    const specifier = (literal as { value?: unknown } | undefined)?.value
    if (typeof specifier === 'string') found.add(specifier)
    for (const child of Object.values(node)) visit(child)
  }
  visit(parseAst(text, { lang }))
  return [...found]
}

/** The place of a file: its area, its unit, and its row; a test has no row, and neither has a file that no row names. */
interface Position {
  area: Area
  unit: string
  row: number | undefined
  isTest: boolean
}

function positionOf(file: string, areas: Area[]): Position | undefined {
  const area = areas.find(({ folder }) => file.startsWith(`${folder}/`))
  if (!area) return undefined
  const path = file.slice(area.folder.length + 1)
  const isIn = (unit: string) => path === unit || path.startsWith(`${unit}/`)
  if (area.tests?.some(isIn)) return { area, unit: 'tests', row: undefined, isTest: true }
  // `personas/names.ts` is a unit of its own, though it lies in `personas`: the longest name that fits decides.
  const units = area.rows.flatMap((row, at) => row.map(unit => ({ unit, row: at })))
  const [best] = units.filter(({ unit }) => isIn(unit)).sort((a, b) => b.unit.length - a.unit.length)
  if (best) return { area, ...best, isTest: false }
  const others = path.includes('/') ? -1 : area.rows.findIndex(row => row.includes('*'))
  return { area, unit: path, row: others < 0 ? undefined : others, isTest: false }
}

function misplaced(files: Iterable<string>, areas: Area[]): string[] {
  return [...files].flatMap(file => {
    const at = positionOf(file, areas)
    if (!at || at.isTest || at.row !== undefined) return []
    return `${file} is in no row of ${at.area.folder}/: give its file or folder a row in bin/architecture.ts`
  })
}

function violation(file: string, target: string, areas: Area[]): string[] {
  const [from, to] = [positionOf(file, areas), positionOf(target, areas)]
  if (!from || !to) return []
  if (from.area !== to.area) {
    const allowed = allowedOutside(file.slice(from.area.folder.length + 1), from.area)
    if (allowed.some(start => target.startsWith(start))) return []
    return [
      `${file} imports ${target}: it may import ${allowed.join(', ') || 'nothing'} outside ${from.area.folder}/`,
    ]
  }
  if (from.isTest) return []
  if (to.isTest) return [`${file} imports ${target}: only tests import tests`]
  if (from.row === undefined || to.row === undefined || to.row < from.row) return []
  if (to.row === from.row && to.unit === from.unit) return []
  return [
    to.row === from.row
      ? `${file} imports ${target}: ${from.unit} and ${to.unit} are in one row and do not import each other`
      : `${file} imports ${target}: that goes up, ${to.unit} is above ${from.unit}`,
  ]
}

/** What a file may import from other areas: the entry with the longest matching prefix decides. */
function allowedOutside(path: string, { outside = {} }: Area): string[] {
  const starts = Object.keys(outside).filter(start => path.startsWith(start))
  const longest = starts.sort((a, b) => b.length - a.length)[0]
  return longest === undefined ? [] : (outside[longest] ?? [])
}

/** Each circle of imports once, as its files in order. */
function cycles(imports: Imports): string[] {
  const found: string[] = []
  const finished = new Set<string>()
  const path: string[] = []
  const visit = (file: string): void => {
    const begins = path.indexOf(file)
    if (begins >= 0) found.push(`a circle of imports: ${[...path.slice(begins), file].join(' -> ')}`)
    if (begins >= 0 || finished.has(file)) return
    path.push(file)
    for (const target of imports.get(file) ?? []) visit(target)
    path.pop()
    finished.add(file)
  }
  for (const file of imports.keys()) visit(file)
  return found
}

/** The TypeScript of the project, by path. */
function readSources(root: string): Map<string, string> {
  const folders = architecture.map(({ folder }) => folder)
  const files = folders.flatMap(folder =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile() && /\.tsx?$/.test(entry.name))
      .map(entry => join(entry.parentPath, entry.name)),
  )
  return new Map(files.map(file => [relative(root, file), readFileSync(file, 'utf8')]))
}

// npm scripts load this by bin/run.cjs, so that `import.meta.main` is false.
if (process.argv[1] === import.meta.filename) {
  const violations = findViolations(readSources(resolve(import.meta.dirname, '..')))
  for (const sentence of violations) console.error(sentence)
  process.exitCode = violations.length > 0 ? 1 : 0
}
