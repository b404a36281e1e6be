import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { projectRoot } from '../../../bin/programs.ts'

interface LockedPackage {
  version?: string
  integrity?: string
  resolved?: string
  link?: boolean
}

const read = (...file: string[]): string => readFileSync(join(projectRoot, ...file), 'utf8')

describe('package-lock.json', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, LockedPackage> }
  // The project itself and its workspaces are folders of it, to which links lead.
  const locked = Object.entries(packages).filter(
    ([path, { link }]) => path.startsWith('node_modules/') && !link,
  )
  const pathsOf = (isWrong: (one: LockedPackage) => boolean) =>
    locked.filter(([, one]) => isWrong(one)).map(([path]) => path)

  test('every package has a hash, so that npm refuses other content', () => {
    expect(locked.length).toBeGreaterThan(100)
    expect(pathsOf(({ integrity }) => !/^sha512-[\w+/]{86}==$/.test(integrity ?? ''))).toEqual([])
  })

  test('no package names the address where it was found', () => {
    expect(pathsOf(({ resolved }) => resolved !== undefined)).toEqual([])
  })
})

test('an install runs no script of a package, which could fetch what the lock does not pin', () => {
  expect(read('.npmrc').split('\n')).toContain('ignore-scripts=true')
})

describe.each(readdirSync(join(projectRoot, '.github/workflows')))('workflow %s', name => {
  const text = read('.github/workflows', name)

  test('every action is pinned by a commit, with its release in a comment', () => {
    // An action of the repository itself is of the same commit.
    const used = text.split('\n').filter(line => /\buses: (?!\.\/$)/.test(line))
    expect(used.length).toBeGreaterThan(0)
    expect(used.filter(line => !/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))).toEqual([])
  })

  test('its token reads the contents, no more, and is not left in the clone', () => {
    expect(text).toMatch(/^permissions:\n {2}contents: read\n\S/m)
    expect(text.match(/permissions:/g)).toHaveLength(1)
    const checkouts = text.match(/uses: actions\/checkout@.*/g)
    expect(text.match(/uses: actions\/checkout@.*\n +with:\n +persist-credentials: false\n/g)).toHaveLength(
      checkouts?.length ?? 0,
    )
  })
})
