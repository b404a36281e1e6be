import { useState } from 'preact/hooks'
import type { Signal } from '../../../timeline/timeline.ts'
import { ScrollArea } from '../scroll-area.tsx'
import { senderOf } from './signal-marks.tsx'
import { timeText } from './time-window.ts'

/** Every signal of the cleanup: what the marks on the lanes show, in words, also to processes that no snapshot showed. */
export function SignalTable({ signals }: { signals: readonly Signal[] }) {
  // Two thousand rows are drawn when somebody wants to see them.
  const [isOpen, setOpen] = useState(false)
  return (
    <details onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>Every signal of the cleanup</summary>
      {isOpen && (
        <ScrollArea label="Every signal of the cleanup">
          <table class="numbers texts">
            <thead>
              <tr>
                {['Time', 'Signal', 'To', 'Of', 'By'].map(name => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {signals.map(({ at, signal, comm, pid, agent, by, cleaner }, index) => (
                <tr key={index}>
                  <th scope="row">{timeText(at, 0)}</th>
                  <td>{signal}</td>
                  <td>
                    <bdi>{comm}</bdi> <span class="pid">{pid}</span>
                  </td>
                  <td>
                    <bdi>{agent}</bdi>
                  </td>
                  <td>
                    <bdi>{by === undefined ? '' : senderOf(by)}</bdi> <span class="pid">{cleaner}</span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollArea>
      )}
    </details>
  )
}
