import { expect, test } from 'vitest'
import fc from '../../../test/fast-check.ts'
import type { Json } from '../../platform/files/json.ts'
import { decodeUtf8, parseJson } from '../../platform/json/parse.ts'
import { rewrite } from '../../platform/json/rewrite.ts'
import { anyText, spelled, spelledObjects } from '../support/spelled-json.ts'

const read = (text: string) => parseJson(text) as Json
/** The text after a change of what it is read as. */
function rewritten<T extends Json = Json>(text: string, change: (value: T) => void): string {
  const after = read(text) as T
  change(after)
  return rewrite(text, read(text), after)
}

test('any spelling is read, and what does not change stays byte for byte', () => {
  fc.assert(
    fc.property(spelledObjects, ({ text, value }) => {
      expect(read(text)).toEqual(value)
      expect(rewrite(text, read(text), read(text))).toBe(text)
    }),
  )
})

test('only the text of a changed value becomes another', () => {
  fc.assert(
    fc.property(spelledObjects, fc.nat(), fc.jsonValue(), ({ text, value, members }, index, added) => {
      const n = index % members.length
      const member = members[n] as (typeof members)[number]
      const next = rewritten(text, object => {
        object[`m${n}`] = `new ${JSON.stringify(added)}`
      })
      expect(read(next)).toEqual({ ...value, [`m${n}`]: `new ${JSON.stringify(added)}` })
      expectStays(next, text.slice(0, member.valueStart), text.slice(member.end))
    }),
  )
})

test('members that are added or removed leave all others as they are', () => {
  fc.assert(
    fc.property(spelledObjects, fc.nat(), fc.jsonValue(), ({ text, value, members }, index, added) => {
      const longer = rewritten(text, object => {
        object.added = added
      })
      expect(read(longer)).toEqual({ ...value, added: read(JSON.stringify(added)) })
      const end = members.at(-1)?.end
      expectStays(longer, text.slice(0, end), text.slice(end))

      const n = index % members.length
      const shorter = rewritten(text, object => {
        delete object[`m${n}`]
      })
      const { [`m${n}`]: _, ...rest } = value
      expect(read(shorter)).toEqual(rest)
      const [before, after] = [members[n - 1], members[n + 1]]
      if (before) expect(shorter).toBe(text.slice(0, before.end) + text.slice(members[n]?.end))
      else if (after) expect(shorter).toBe(text.slice(0, members[0]?.start) + text.slice(after.start))
    }),
  )
})

test('whatever changes, what is read afterwards is what was meant', () => {
  fc.assert(
    fc.property(fc.array(spelled, { minLength: 2, maxLength: 6 }), anyText, (values, key) => {
      const [first, ...others] = values.map(({ value }) => value)
      const start = `{"list": [${values[0]?.text}, ${values[1]?.text}]}`
      const next = rewritten(start, object => {
        object.list = [...others, first]
        object[key] = others
      })
      expect(withoutWords(read(next))).toEqual(withoutWords({ list: [...others, first], [key]: others }))
    }),
  )
})

function expectStays(text: string, before: string, behind: string): void {
  expect(text.slice(0, before.length)).toBe(before)
  expect(text.slice(text.length - behind.length)).toBe(behind)
  expect(text.length).toBeGreaterThanOrEqual(before.length + behind.length)
}

/** As JSON.stringify prints it: NaN and the infinities become null. */
const withoutWords = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

const TEXT = `{
  "id": 1764398123456789123,
  "list": [1.0, 2.50],
  "entries": [
    {"id": "a", "n": 1e400},
    {"id": "b", "n": 10000000000000000000000000},
    {"id": "c"}
  ],
  "empty": { },
  "status": "one", "status": "two"
}`

type Value = { list: unknown[]; entries: Json[]; empty: Json; status?: string }

test.each<[string, (value: Value) => unknown, [string, string][]]>([
  ['an item is appended like its neighbours', ({ list }) => list.push(3), [['2.50]', '2.50, 3]']]],
  [
    'an entry that is removed takes no other with it',
    value => value.entries.splice(0, 1),
    [['{"id": "a", "n": 1e400},\n    ', '']],
  ],
  [
    'an entry is inserted',
    value => value.entries.splice(1, 0, { id: 'x' }),
    [['{"id": "b"', '{"id": "x"},\n    {"id": "b"']],
  ],
  [
    'a new list in an object on one line stays on it',
    ({ entries: [, , third] }) => Object.assign(third ?? {}, { list: [1] }),
    [['{"id": "c"}', '{"id": "c", "list": [1]}']],
  ],
  [
    'an empty object is filled on lines of its own',
    ({ empty }) => {
      empty.a = [1]
    },
    [['{ }', '{\n    "a": [\n      1\n    ]\n  }']],
  ],
  [
    'the last of doubled members is changed',
    value => {
      value.status = 'three'
    },
    [['"two"', '"three"']],
  ],
  [
    'doubled members are removed together',
    value => {
      delete value.status
    },
    [[',\n  "status": "one", "status": "two"', '']],
  ],
  ['a number that is equal stays', ({ list }) => list.splice(0, 1, 1), []],
])('%s', (_, change, edits) => {
  const expected = edits.reduce((text, [from, to]) => text.replace(from, to), TEXT)
  expect(rewritten(TEXT, change)).toBe(expected)
})

test.each([
  ['', 'it is empty'],
  [' \r\n', 'it has only white space'],
  ['\ufeff', 'it has only white space'],
  ['\0\0\0', 'it has only zero bytes, as after a power failure'],
  ['{\0"\0', 'it is probably UTF-16, and JSON is UTF-8'],
  [
    '{"a": 1,\n "b',
    'it is not whole JSON: it ends at line 2, column 4, where the end of a string was expected, so it was cut short',
  ],
  [
    '{"a": [1',
    'it is not whole JSON: it ends at line 1, column 9, where a comma or "]" was expected, so it was cut short',
  ],
  ['{"a": 1}\n{"b": 2}', 'it is not whole JSON: at line 2, column 1, the end of the file was expected'],
  ['{"a": 1,}', 'it is not whole JSON: at line 1, column 9, a key in double quotes was expected'],
  ["{'a': 1}", 'it is not whole JSON: at line 1, column 2, a key in double quotes was expected'],
  ['{"a": nan}', 'it is not whole JSON: at line 1, column 7, a value was expected'],
  ['{"a": 01}', 'it is not whole JSON: at line 1, column 8, a comma or "}" was expected'],
  ['{"a": 1 // x\n}', 'it is not whole JSON: at line 1, column 9, a comma or "}" was expected'],
  [
    '{"a": "\t"}',
    'it is not whole JSON: at line 1, column 7, a string without invalid escapes or control characters was expected',
  ],
  [
    '{\n<<<<<<< HEAD\n"a": 1\n=======\n"a": 2\n>>>>>>> x\n}',
    'it is not whole JSON: line 2 is a conflict marker of git',
  ],
  ['['.repeat(101), 'it is nested more than 100 levels deep'],
])('%j cannot be read, and the reason quotes nothing', (text, why) => {
  expect(() => parseJson(text)).toThrow(new Error(why))
})

test.each([
  [
    Buffer.from('{"a":\n "\xe9"}', 'latin1'),
    'it is not UTF-8: at line 2, column 3, a byte belongs to no character',
  ],
  [
    Buffer.concat([Buffer.from('{"\ufffd": "'), Buffer.of(0xe9)]),
    'it is not UTF-8: at line 1, column 8, a byte belongs to no character',
  ],
  [Buffer.from('\ufeff{}', 'utf16le'), 'it is UTF-16, and JSON is UTF-8'],
])('%j is not decoded', (bytes, why) => {
  expect(() => decodeUtf8(bytes)).toThrow(new Error(why))
})
