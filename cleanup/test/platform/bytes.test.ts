import { expect, test } from 'vitest'
import { formatBytes, parseBytes } from '../../platform/bytes.ts'

test.each([
  ['0', 0],
  ['1024', 1024],
  ['500M', 500 * 2 ** 20],
  ['2G', 2 ** 31],
  ['1.5GiB', 1.5 * 2 ** 30],
  ['3kb', 3072],
  ['1T', 2 ** 40],
  [' 7K ', 7168],
  ['', undefined],
  ['lots', undefined],
  ['-1', undefined],
  ['1P', undefined],
])('%j is %j bytes', (text, bytes) => {
  expect(parseBytes(text)).toBe(bytes)
})

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1536, '1.5 KiB'],
  [500 * 2 ** 20, '500 MiB'],
  [2 ** 31, '2.0 GiB'],
  [3000 * 2 ** 40, '3000 TiB'],
])('%j bytes are written as %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text)
})
