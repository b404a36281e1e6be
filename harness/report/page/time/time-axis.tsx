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
  return (
    <div class="axis on-axis" aria-hidden="true">
      <div class="track">
        {ticks(time, 6)
          .filter(at => at - time.from < span * 0.95)
          .map(at => (
            <span key={at} class="tick" style={placeAt(at)}>
              {timeText(at, span)}
            </span>
          ))}
      </div>
      <div class="track numbers">
        {withoutOverlap(steps, span).map(({ label, at }) => (
          <span key={label} class="step-number" style={placeAt(at)}>
            {label}
          </span>
        ))}
      </div>
    </div>
  )
}

/** Nearer than this part of the axis, numbers would cover each other: they become one, "2–5". */
const apart = 0.09

function withoutOverlap(steps: readonly StepGroup[], span: number): { label: string; at: number }[] {
  const labels: { first: number; last: number; from: number; to: number }[] = []
  for (const { number, at } of steps) {
    const before = labels.at(-1)
    if (before && at - before.from < span * apart) Object.assign(before, { last: number, to: at })
    else labels.push({ first: number, last: number, from: at, to: at })
  }
  return labels.map(({ first, last, from, to }) => ({
    label: first === last ? String(first) : `${first}–${last}`,
    at: (from + to) / 2,
  }))
}

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
