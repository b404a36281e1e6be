import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readServer } from '../../tmux/server.ts'
import { Rig, readText } from '../support/rig.ts'

/* From tmux 3.7 on, a server on a busy machine may leave out parts of its answer. */

let rig: Rig
const PATH = process.env.PATH
beforeEach(async () => {
  rig = await Rig.start()
  rig.tmux('new-window', '-d', '-t', '=user:', 'sleep 1000')
  rig.tmux('split-window', '-d', '-t', '=user:1', 'sleep 1000')
})
afterEach(async () => {
  process.env.PATH = PATH
  await rig[Symbol.asyncDispose]()
})

/** Puts a tmux first on the PATH whose first answers are edited by sed. */
function cutAnswers(edit: string, answers: number): void {
  const folder = path.join(rig.folder, 'cut')
  fs.mkdirSync(folder)
  const script = `#!/bin/bash
PATH=\${PATH#*:}
echo >>${folder}/asked
if [ $(wc -l <${folder}/asked) -gt ${answers} ]; then exec tmux "$@"; fi
tmux "$@" | sed '${edit}'`
  fs.writeFileSync(path.join(folder, 'tmux'), script, { mode: 0o755 })
  process.env.PATH = `${folder}:${PATH}`
}
const asked = () => readText(path.join(rig.folder, 'cut/asked')).length

describe('an answer is asked for again that lacks', () => {
  test.each([
    ['a pane', 's/%[0-9]*=[0-9]*=0 //2'],
    ['the panes of a window', 's/ 2 %[^|]*|/ 2 |/'],
    ['a window', 's/ 2 %[^|]*|/ |/'],
    ['every window', 's/ 2 1 %[^|]*|/ 2 |/'],
    ['a session’s name', 's/:user$/:/'],
    ['a whole line', '2s/.*//'],
    ['the rest of a line', 's/| .*/| /'],
    ['the rest of a pane', 's/=0 |.*/=/'],
    ['the server’s socket', '1s/ .*/ /'],
  ])('%s', async (_, edit) => {
    const whole = await readServer(rig.socket)
    expect(whole?.sessions.map(({ name, panes }) => [name, panes.length])).toEqual([['user', 3]])
    cutAnswers(edit, 2)
    expect(await readServer(rig.socket)).toEqual(whole)
    expect(asked()).toBe(3)
  })
})

test('an answer that stays incomplete is none', async () => {
  cutAnswers('s/%[0-9]*=[0-9]*=0 //2', 100)
  await expect(readServer(rig.socket)).rejects.toMatchObject({ code: 'tmux-unreachable' })
  expect(asked()).toBe(5)
})
