import type { Signal } from '../../../timeline/timeline.ts'
import { placeAt, timeText } from './time-window.ts'

/** A letter for each signal, so that no mark is told by its colour alone. */
const letters: Record<string, string> = { SIGHUP: 'H', SIGTERM: 'T', SIGKILL: 'K', SIGSTOP: 'S' }
const letterOf = (signal: string) => letters[signal] ?? '•'

/** "SIGTERM by the daemon (81) at 3.6 s". */
function signalText({ signal, at, by, cleaner }: Signal): string {
  const who = by === undefined ? '' : ` by ${senderOf(by)}${cleaner === undefined ? '' : ` (${cleaner})`}`
  return `${signal}${who} at ${timeText(at, 0)}`
}

const senders: Record<string, string> = {
  call: 'the call',
  daemon: 'the daemon',
  'hand-over': 'a cleaner outside the agent',
}

export const senderOf = (by: string): string => senders[by] ?? by

/** The signals that a cleanup sent to a process, on its lane; those of one moment are one mark. */
export function SignalMarks({ signals }: { signals: readonly Signal[] }) {
  const moments = [...Map.groupBy(signals, ({ at }) => at)]
  return (
    <>
      {moments.map(([at, mine]) => {
        const kills = mine.some(({ signal }) => signal === 'SIGKILL')
        return (
          <span
            key={at}
            class={kills ? 'signal kill' : 'signal'}
            style={placeAt(at)}
            title={mine.map(signalText).join('\n')}
          >
            <span aria-hidden="true">
              {[...new Set(mine.map(({ signal }) => letterOf(signal)))].join('')}
            </span>
            <span class="hidden">{mine.map(one => `${signalText(one)}, `).join('')}</span>
          </span>
        )
      })}
    </>
  )
}

/** What the marks are, as far as there are some. */
export function SignalLegend({ signals }: { signals: readonly Signal[] }) {
  const names = [...new Set(signals.map(({ signal }) => signal))].toSorted()
  return (
    <p class="legend">
      Signals of the cleanup:{' '}
      {names.map(name => (
        <span key={name} class="legend-entry">
          <span class={name === 'SIGKILL' ? 'signal kill' : 'signal'} aria-hidden="true">
            {letterOf(name)}
          </span>{' '}
          {name} × {signals.filter(({ signal }) => signal === name).length}
        </span>
      ))}
    </p>
  )
}
