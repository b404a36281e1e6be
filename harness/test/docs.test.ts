import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import project from '../../package.json' with { type: 'json' }

// The documentation names files, headings and commands. Whoever moves or renames one of them finds out here.

const root = resolve(import.meta.dirname, '../..')
const topFolders = ['bin', 'cleanup', 'docs', 'examples', 'fake-claude', 'harness', 'scenarios', 'test']
const files = [...globSync('*', { cwd: root }), ...globSync(`{${topFolders},.ci,.github}/**`, { cwd: root })]
const pages = files.filter(file => file.endsWith('.md'))

test('there are pages to check', () => {
  expect(pages).toEqual(expect.arrayContaining(['README.md', 'docs/architecture.md', 'cleanup/README.md']))
})

test.for(pages)('%s: every link leads somewhere', page => {
  const links = [...proseOf(page).matchAll(/\]\(([^()\s]+)\)/g)].map(([, target = '']) => target)
  expect(links.filter(target => !leadsSomewhere(page, target))).toEqual([])
})

test.for(pages)('%s: every npm script exists', page => {
  const named = [...textOf(page).matchAll(/\bnpm (?:--prefix \S+ )?run (?:--silent )?([a-z][\w:-]*)/g)]
  const missing = named.filter(([, name = '']) => !Object.hasOwn(project.scripts, name))
  expect(missing.map(([command]) => command)).toEqual([])
})

test.for(pages)('%s: every path in backticks exists', page => {
  const named = [...proseOf(page).matchAll(/`([^`\s]+)`/g)].map(([, path = '']) => path)
  expect(named.filter(path => isOfProject(path) && !exists(page, path))).toEqual([])
})

function textOf(page: string): string {
  return readFileSync(join(root, page), 'utf8')
}

/** The text without its code blocks: those show other people's files, too. */
function proseOf(page: string): string {
  return textOf(page).replaceAll(/^```.*?^```$/gms, '')
}

function leadsSomewhere(page: string, target: string): boolean {
  if (/^[a-z]+:/.test(target)) return true
  const [path = '', heading] = target.split('#')
  const file = path ? join(dirname(page), path) : page
  if (!existsSync(join(root, file))) return false
  return heading === undefined || headingsOf(file).includes(heading)
}

/** The headings' anchors, as GitHub makes them. */
function headingsOf(page: string): string[] {
  return [...proseOf(page).matchAll(/^#+ (.+)$/gm)].map(([, text = '']) =>
    text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

/** A source of ours or a folder below a top one; not a workspace's `archive/`, nor a user's `~/.claude`. */
function isOfProject(path: string): boolean {
  if (/[<>*$~{}]/.test(path)) return false
  if (/\.(ts|cjs|sh|pl|yml|md)$/.test(path)) return true
  return topFolders.some(folder => path.startsWith(`${folder}/`))
}

/** Named from the root, from the page's folder, or shortened to its end where the page says whose part it is. */
function exists(page: string, path: string): boolean {
  const name = path.replace(/\/$/, '')
  if (existsSync(join(root, name)) || existsSync(join(root, dirname(page), name))) return true
  return files.some(file => file.endsWith(`/${name}`))
}
