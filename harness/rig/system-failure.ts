import { CannotMeasureError } from '../errors.ts'

/** The longest part of what a system wrote that is shown, in lines and characters. */
const mostLines = 20
const mostCharacters = 4_000

/** The system failed where the rig needed it. The first line is one sentence; what the system wrote follows. */
export class SystemFailure extends CannotMeasureError {
  constructor(sentence: string, output: string) {
    super([`${oneSentence(sentence)}`, ...quotedLines('its output', output)].join('\n'))
  }
}

/** A text under a title, line by line and shortened to its end; nothing for an empty text. */
export function quotedLines(title: string, text: string): string[] {
  const lines = text.slice(-mostCharacters).trimEnd().split('\n').slice(-mostLines)
  return text.trim() === '' ? [`${title}: nothing`] : [`${title}:`, ...lines.map(line => `  | ${line}`)]
}

function oneSentence(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  const short = line.length > 600 ? `${line.slice(0, 600)}…` : line
  return /[.!?…]$/.test(short) ? short : `${short}.`
}
