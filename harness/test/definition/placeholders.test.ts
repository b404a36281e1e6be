import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import fc from '../../../test/fast-check.ts'
import { fill, fillAll, fillShell, namesIn, quotedPlaceholder } from '../../definition/placeholders.ts'

test('a placeholder is a name in braces; twice in braces it is text, and after a dollar sign a variable of the shell', () => {
  const text = `{id} {{id}} ${'$'}{id} { id} {1} a{id}b`
  expect(namesIn(text)).toEqual(['id', 'id'])
  expect(fill(text, { id: 'X' })).toBe(`X {id} ${'$'}{id} { id} {1} aXb`)
})

test('a value is never expanded again', () => {
  expect(fill('{a}', { a: '{b} $& $1', b: 'no' })).toBe('{b} $& $1')
})

test('a value that nothing has given is an error, and so is an inherited one', () => {
  expect(() => fill('{id}', {})).toThrow('nothing has given {id}')
  expect(() => fill('{toString}', {})).toThrow('nothing has given {toString}')
})

test('every string in a value is filled in, and nothing else', () => {
  expect(fillAll({ a: ['{x}', 1, null], b: { c: '{x}{x}' } }, { x: 'y' })).toEqual({
    a: ['y', 1, null],
    b: { c: 'yy' },
  })
})

test('whatever a value is, a shell gets it as one word', () => {
  // A NUL can be in no argument.
  const word = fc.string({ unit: 'binary' }).filter(text => !text.includes('\0'))
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 20 }), words => {
      const names = Object.fromEntries(words.map((value, at) => [`v${at}`, value]))
      const command = `printf '%s\\0' ${words.map((_, at) => `{v${at}}`).join(' ')}`
      const printed = execFileSync('sh', ['-c', fillShell(command, names)], { encoding: 'utf8' })
      expect(printed.split('\0').slice(0, -1)).toEqual(words.map(value => value.toWellFormed()))
    }),
    { numRuns: 50 },
  )
})

test('a placeholder inside quotes is found', () => {
  expect(quotedPlaceholder(`echo "a {id}"`)).toBe('id')
  expect(quotedPlaceholder(`echo '{id}'`)).toBe('id')
  expect(quotedPlaceholder(String.raw`echo \"{id}\" "x" {id} '$x' "${'$'}{id}" "{{id}}"`)).toBe(undefined)
  expect(quotedPlaceholder(`awk '{print $1}' {id}`)).toBe(undefined)
})
