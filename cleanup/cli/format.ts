/** Text of somebody else's making for a terminal: control characters, which could rewrite the line, are shown as what they are. */
export function printable(text: string, longest = 120): string {
  const shown = oneLine(text)
  return shown.length > longest ? `${shown.slice(0, longest - 1)}…` : shown
}

/** A line as it can be printed: what a terminal would obey, or would break the line, is written out. */
export const oneLine = (line: string): string =>
  line.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, character => `\\u{${character.codePointAt(0)?.toString(16)}}`)

/** A process's name: the kernel keeps bytes, which are mostly UTF-8. */
export const nameOf = ({ comm, pid }: { comm: string; pid: number }): string =>
  `${printable(Buffer.from(comm, 'latin1').toString('utf8')) || '(no name)'} ${pid}`

export function duration(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000))
  if (s < 120) return `${s} s`
  if (s < 7_200) return `${Math.round(s / 60)} min`
  return s < 172_800 ? `${Math.round(s / 3_600)} h` : `${Math.round(s / 86_400)} days`
}

export { formatBytes as size } from '../platform/bytes.ts'

export const count = (number: number, one: string, many = `${one}s`): string =>
  `${number} ${number === 1 ? one : many}`
