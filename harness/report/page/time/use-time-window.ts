import { useMemo, useState } from 'preact/hooks'
import { type TimeControl, type TimeWindow, within } from './time-window.ts'

/** The part of a scenario's time that is shown: at first the whole, until its end. */
export function useTimeWindow(end: number): TimeControl {
  const [window, setWindow] = useState<TimeWindow>({ from: 0, to: end })
  return useMemo(() => {
    const { from, to } = window
    const show = (start: number, stop: number) => setWindow(within(start, stop, end))
    return {
      ...window,
      isWhole: from === 0 && to === end,
      show,
      zoom: factor => {
        const [middle, half] = [(from + to) / 2, ((to - from) / 2) * factor]
        show(middle - half, middle + half)
      },
      move: part => show(from + (to - from) * part, to + (to - from) * part),
      reset: () => show(0, end),
    }
  }, [window, end])
}
