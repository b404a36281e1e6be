import { setTimeout as delay } from 'node:timers/promises'
import {
  afterCleanup,
  answers,
  deployedText,
  evidenceTable,
  keyLines,
  lostLogsText,
  momentLines,
  pictureText,
  settlingText,
  sweepCommand,
  unknownKeyText,
} from '../../report/reproduction-text.ts'
import type { Moment, ReproductionApi } from '../../reproduction/api.ts'
import { print } from '../../terminal.ts'
import { isLeaving, Keys, setRaw } from './keys.ts'
import { columns, isRedrawn, panel } from './panel.ts'
import { outputInSandbox, relay } from './relay.ts'
import type { Reproduction } from './reproduction.ts'

const { stdin } = process

/** How often the counts are read, ms. */
const everyMs = 1_000

/** What the counts are shown with. */
export interface Live {
  reproduction: Reproduction
  /** What the user called it. */
  name: string
  /** The bundled cleanup has something to do only in the workspace of the report's layout. */
  hasWorkspace: boolean
  /** Prints what is not drawn again. */
  say: typeof print
}

/**
 * Shows the counts as they rise, until the scenario has come to its end. Where they cannot be drawn again: a line for every
 * ten agents, and what is waited for.
 * @returns whether the user left meanwhile
 */
export async function watchBuilding(live: Live): Promise<{ isInterrupted: boolean }> {
  const built = showBuilding(live).then(() => ({ isInterrupted: false }))
  // Keys would be echoed into what is drawn.
  if (!stdin.isTTY || !process.stdout.isTTY) return built
  const keys = new Keys()
  keys.start()
  try {
    return await Promise.race([built, keys.left.then(() => ({ isInterrupted: true }))])
  } finally {
    keys.stop()
    setRaw(false)
  }
}

async function showBuilding({ reproduction, name, say }: Live): Promise<void> {
  let printed = 0
  let isSettling = false
  for (;;) {
    const moment = await reproduction.api.moment()
    if (isRedrawn) panel.show(momentLines(moment, name, columns()))
    else {
      if (moment.agents >= printed + 10) {
        printed = moment.agents
        say(deployedText(printed))
      }
      if (moment.step === 'settle' && !isSettling) say(settlingText())
      isSettling = moment.step === 'settle'
    }
    await reproduction.noteTraces()
    if (moment.phase === 'held') break
    await delay(isRedrawn ? everyMs / 4 : everyMs)
  }
  panel.clear()
}

/**
 * Shows the counts as they are, with keys for what can be done, until the user leaves.
 * @returns whether the user left with Ctrl-C
 */
export async function watchHeld(live: Live): Promise<{ isInterrupted: boolean }> {
  const keys = new Keys()
  keys.start()
  try {
    // Also while the sandbox does not answer.
    return await Promise.race([
      lookAround(live, keys).then(() => ({ isInterrupted: false })),
      keys.interrupted.then(() => ({ isInterrupted: true })),
    ])
  } finally {
    keys.stop()
  }
}

async function lookAround(live: Live, keys: Keys): Promise<void> {
  const { reproduction, name, hasWorkspace } = live
  for (;;) {
    const moment = await reproduction.api.moment()
    await reproduction.noteTraces()
    const { canAttach } = moment
    panel.show([...momentLines(moment, name, columns()), ...keyLines({ hasWorkspace, canAttach }, columns())])
    const key = await keys.next(everyMs)
    if (key === undefined) continue
    panel.clear()
    if (key === 'end' || isLeaving(key)) return
    await act(live, key, moment, keys)
  }
}

/** The terminal as it was, whatever is shown. */
export function restoreTerminal(): void {
  panel.close()
  setRaw(false)
  if (stdin.isTTY) stdin.pause()
}

async function act(live: Live, key: string, before: Moment, keys: Keys): Promise<void> {
  const { api } = live.reproduction
  const { name, hasWorkspace } = live
  if (key === 's') {
    print(answers.shell)
    await withTerminal(keys, () => relay(api))
  } else if (key === 't') {
    const [session] = (await api.picture()).sessions
    if (session) await withTerminal(keys, () => relay(api, session.command))
    else print(answers.noSession)
  } else if (key === 'p' || key === 'v') print(pictureText(await api.picture(), name, key === 'v'))
  else if (key === 'e' && hasWorkspace) await explain(api)
  else if (key === 'c' && hasWorkspace) await cleanUp(api, name, before)
  else print(unknownKeyText(key))
}

async function withTerminal(keys: Keys, use: () => Promise<unknown>): Promise<void> {
  keys.stop()
  try {
    await use()
  } finally {
    keys.start()
  }
}

async function explain(api: ReproductionApi): Promise<void> {
  const [agent] = (await api.picture()).agents
  if (agent === undefined) print(answers.noAgent)
  else await printed(api, ['leakrig', 'explain', agent])
}

async function cleanUp(api: ReproductionApi, name: string, before: Moment): Promise<void> {
  const swept = await printed(api, [...sweepCommand])
  if (name === 'report') for (const why of lostLogsText(swept)) print(why)
  const picture = await api.picture()
  print(afterCleanup(picture))
  if (name === 'report' && before.now)
    print(
      evidenceTable([
        ['before', before.now],
        ['after', picture.counts.settled],
      ]).join('\n'),
    )
}

async function printed(api: ReproductionApi, command: string[]): Promise<string> {
  print(`$ ${command.join(' ')}`)
  const text = (await outputInSandbox(api, command)).text.trimEnd()
  print(text)
  return text
}
