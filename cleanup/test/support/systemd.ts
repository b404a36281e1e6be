import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'

const ANALYZE = '/usr/bin/systemd-analyze'

export const hasSystemdAnalyze = fs.existsSync(ANALYZE)

/** Runs `systemd-analyze verify` on a unit. Its exit code is 0 even if it warns that it ignores a line, so check the output too. */
export function verifyUnit(folder: string, unit: string, manager: 'user' | 'system', level = 'info') {
  const file = path.join(folder, 'leakrig.service')
  const runtime = path.join(folder, 'run')
  fs.mkdirSync(runtime, { recursive: true })
  fs.writeFileSync(file, unit)
  const { status, stdout, stderr } = spawnSync(ANALYZE, ['verify', '--man=no', `--${manager}`, file], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: folder, XDG_RUNTIME_DIR: runtime, SYSTEMD_LOG_LEVEL: level },
  })
  return { code: status, output: (stdout + stderr).trim() }
}

/**
 * A unit's command line as systemd parses it: split into words, with specifiers expanded (systemd prints that at log level
 * debug). systemd expands `$$` only when it starts the unit, so this function does; it throws for `$NAME`.
 */
export function parsedCommand(folder: string, unit: string): string[] {
  const { output } = verifyUnit(folder, unit, 'system', 'debug')
  const line = output.split('\n').find(text => text.includes('\tCommand Line: '))
  if (line === undefined) throw new Error(`systemd shows no command: ${output.slice(-500)}`)
  const quoted = line.slice(line.indexOf(': ') + 2)
  const words = quoted.match(/"(?:[^"\\]|\\.)*"|[^\s"]+/g) ?? []
  return words.map((word, n) => {
    const plain = decode(word.startsWith('"') ? word.slice(1, -1) : word)
    if (n === 0) return plain
    if (/(?<!\$)(?:\$\$)*\$(?!\$)/.test(plain))
      throw new Error(`${plain} would be replaced from the environment`)
    return plain.replaceAll('$$', '$')
  })
}

/** systemd prints special characters as C escapes, and other bytes in octal. */
function decode(word: string): string {
  const bytes: Buffer[] = []
  const known: Record<string, string> = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v' }
  for (const [, octal, escaped, plain] of word.matchAll(/\\([0-7]{3})|\\(.)|([^\\]+)/gs))
    bytes.push(
      octal !== undefined
        ? Buffer.from([Number.parseInt(octal, 8)])
        : Buffer.from(escaped === undefined ? (plain ?? '') : (known[escaped] ?? escaped)),
    )
  return Buffer.concat(bytes).toString()
}

/** The settings of a unit by name, each with all its values in order. */
export function unitSettings(unit: string): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const line of unit.split('\n')) {
    const setting = /^(\w+)=(.*)$/.exec(line)
    if (setting?.[1]) found.set(setting[1], [...(found.get(setting[1]) ?? []), setting[2] ?? ''])
  }
  return found
}
