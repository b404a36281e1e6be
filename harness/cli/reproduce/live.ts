import { setTimeout as delay } from 'node:timers/promises'
import { createLogUpdate } from 'log-update'
import { evidenceTable, momentLines, pictureText, sweepCommand } from '../../report/reproduction-text.ts'
import type { Moment } from '../../reproduction/api.ts'
import { oneLine, print } from '../../terminal.ts'
import { outputInSandbox, relay } from './relay.ts'
import type { Reproduction } from './reproduction.ts'

const { stdin, stdout } = process

/** How often the counts are read, ms. */
const everyMs = 1_000

/** What the counts are shown with. */
export interface Live {
  reproduction: Reproduction
  /** What the user called it. */
  name: string
  /** The bundled cleanup has something to do only in the workspace of the report's layout. */
  hasWorkspace: boolean
}

const panel = createLogUpdate(stdout)

/** Shows the counts as they rise, until the scenario has come to its end. Without a terminal a line for every ten agents. */
export async function watchBuilding({ reproduction, name }: Live): Promise<void> {
  let printed = 0
  for (;;) {
    const moment = await reproduction.api.moment()
    if (stdout.isTTY) show(momentLines(moment, name))
    else if (moment.agents >= printed + 10) {
      printed = moment.agents
      print(`${printed} agents deployed`)
    }
    await reproduction.noteTraces()
    if (moment.phase === 'held') break
    await delay(stdout.isTTY ? everyMs / 4 : everyMs)
  }
  panel.clear()
}

/**
 * Shows the counts as they are, with keys for what can be done, until the user leaves.
 * @returns whether the user left with Ctrl-C
 */
export async function watchHeld(live: Live): Promise<{ isInterrupted: boolean }> {
  const { reproduction, name } = live
  for (;;) {
    const moment = await reproduction.api.moment()
    await reproduction.noteTraces()
    show([...momentLines(moment, name), keysLine(live)])
    const key = await nextKey(everyMs)
    if (key === undefined) continue
    panel.clear()
    if (key === '\x03') return { isInterrupted: true }
    if (key === 'q' || key === '\x04' || key === 'end') return { isInterrupted: false }
    await act(live, key, moment)
  }
}

/** The terminal as it was, whatever is shown. */
export function restoreTerminal(): void {
  panel.done()
  if (stdin.isTTY) stdin.setRawMode(false).pause()
}

const keysLine = ({ hasWorkspace }: Live): string =>
  [
    's shell',
    't tmux',
    ...(hasWorkspace ? ['e explain', 'c clean up'] : []),
    'p what is left',
    'v all of it',
    'q leave',
  ].join('  ')

async function act(
  { reproduction: { api }, name, hasWorkspace }: Live,
  key: string,
  before: Moment,
): Promise<void> {
  if (key === 's') {
    print('A shell in the sandbox; `exit` leads back.')
    await relay(api)
  }
  if (key === 'p' || key === 'v') print(pictureText(await api.picture(), name, key === 'v'))
  if (key === 't') {
    const [session] = (await api.picture()).sessions
    if (session) await relay(api, session.command)
    else print('No session of an agent is left.')
  }
  if (!hasWorkspace) return
  if (key === 'e') {
    const [agent] = (await api.picture()).agents
    if (agent === undefined) print('Nothing of an agent is left.')
    else await printed(api, ['leakrig', 'explain', agent])
  }
  if (key === 'c') {
    await printed(api, [...sweepCommand])
    const { counts } = await api.picture()
    if (name === 'report' && before.now)
      print(
        evidenceTable([
          ['before', before.now],
          ['after', counts.settled],
        ]).join('\n'),
      )
  }
}

async function printed(api: Reproduction['api'], command: string[]): Promise<void> {
  print(`$ ${command.join(' ')}`)
  print((await outputInSandbox(api, command)).text.trimEnd())
}

function show(lines: string[]): void {
  const width = (stdout.columns || 80) - 1
  panel(lines.map(line => oneLine(line).slice(0, width)).join('\n'))
}

/** The next key that is pressed; undefined when none is in that time; `end` when the terminal is gone. */
async function nextKey(ms: number): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const press = (keys: Buffer) => resolve(keys.toString())
  const gone = () => resolve('end')
  const timer = setTimeout(() => resolve(undefined), ms)
  stdin.setRawMode(true).once('data', press).once('end', gone).resume()
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    stdin.off('data', press).off('end', gone).pause()
  }
}
