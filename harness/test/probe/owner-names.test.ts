import { expect, test } from 'vitest'
import fc from '../../../test/fast-check.ts'
import { OwnerNames } from '../../probe/owner-names.ts'

test('the longest name in a text decides', () => {
  const name = fc.string({ unit: fc.constantFrom('a', 'b', '-'), minLength: 1, maxLength: 9 })
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '-', '/'), maxLength: 24 })
  fc.assert(
    fc.property(fc.array(fc.tuple(name, fc.string())), text, (entries, path) => {
      const names = new OwnerNames()
      for (const [key, owner] of entries) names.set(key, owner)
      const all = new Map(entries)
      const [longest] = [...all.keys()]
        .filter(key => path.includes(key))
        .sort((one, other) => other.length - one.length)
      const found = names.ownerIn(path)
      // Of two names of equal length, either may win.
      const right = [...all].filter(([key]) => path.includes(key) && key.length === longest?.length)
      expect(right.length === 0 ? [undefined] : right.map(([, owner]) => owner)).toContain(found)
    }),
  )
})

test('a text is searched for all names at once', () => {
  const looks = (agents: number) => {
    const names = new OwnerNames()
    for (let at = 0; at < agents; at++)
      names.set(`worker-120000-${at.toString(16).padStart(6, '0')}`, `${at}`)
    let count = 0
    const path = '/tmp/work/.agent-workspace/TASK-1/logs/none_stream.jsonl'
    const text = Object.assign(Object(path), {
      slice: (from: number, to: number) => {
        count += 1
        return path.slice(from, to)
      },
      endsWith: (name: string, end: number) => {
        count += 1
        return path.endsWith(name, end)
      },
    })
    expect(names.ownerIn(text)).toBeUndefined()
    return count
  }
  expect(looks(400)).toBe(looks(10))
})
