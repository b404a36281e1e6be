import { placeNumbers } from './step-numbers.ts'
import type { StepGroup } from './steps.ts'
import { placeAt, type TimeControl, ticks, timeText } from './time-window.ts'

/** The buttons that change the part of the time that is shown. */
export function TimeButtons({ time }: { time: TimeControl }) {
  return (
    <fieldset class="time-buttons">
      <legend class="hidden">Part of the time that is shown</legend>
      <button type="button" onClick={() => time.move(-0.5)} disabled={time.isWhole} aria-label="Earlier">
        ←
      </button>
      <button type="button" onClick={() => time.zoom(0.5)} aria-label="Zoom in">
        +
      </button>
      <button type="button" onClick={() => time.zoom(2)} disabled={time.isWhole} aria-label="Zoom out">
        −
      </button>
      <button type="button" onClick={() => time.move(0.5)} disabled={time.isWhole} aria-label="Later">
        →
      </button>
      <button type="button" onClick={time.reset} disabled={time.isWhole}>
        Whole
      </button>
    </fieldset>
  )
}

/** The axis above the charts, with the steps as numbers. */
export function TimeAxis({ time, steps }: { time: TimeControl; steps: readonly StepGroup[] }) {
  const span = time.to - time.from
  const numbers = placeNumbers(steps, time)
  return (
    <div class="axis on-axis" aria-hidden="true">
      <div class="track">
        {ticks(time, 6).map(at => (
          <span
            key={at}
            class={at - time.from > span * nearEnd ? 'tick before-line' : 'tick'}
            style={placeAt(at)}
          >
            {timeText(at, span)}
          </span>
        ))}
      </div>
      <div
        class="track numbers"
        style={{ '--rows': String(Math.max(1, ...numbers.map(({ row }) => row + 1))) }}
      >
        {numbers.map(({ label, at, row }) => (
          <span key={label} class="step-number" style={{ ...placeAt(at), '--row': String(row) }}>
            {label}
          </span>
        ))}
      </div>
    </div>
  )
}

/** After this part of the axis a time has no room to the right of its line. */
const nearEnd = 0.88

/** The steps as a list with their numbers. */
export function StepList({ steps }: { steps: readonly StepGroup[] }) {
  return (
    <ol class="steps" aria-label="Steps of the scenario">
      {steps.map(({ number, what, agents, count, at }) => (
        <li key={number} title={agents.join('\n')}>
          <span class="step-number">{number}</span> {what}
          {count > 1 && ` × ${count}`} <span class="at">{timeText(at, 0)}</span>
        </li>
      ))}
    </ol>
  )
}
