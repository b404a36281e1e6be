import { useMemo, useState } from 'preact/hooks'
import { type TimeControl, type TimeWindow, within } from './time-window.ts'

/** The part of a time that is shown: at first the whole. */
export function useTimeWindow(whole: TimeWindow): TimeControl {
  const [window, setWindow] = useState(whole)
  return useMemo(() => {
    const { from, to } = window
    const show = (start: number, stop: number) => setWindow(within(start, stop, whole))
    return {
      ...window,
      isWhole: from === whole.from && to === whole.to,
      show,
      zoom: factor => {
        const [middle, half] = [(from + to) / 2, ((to - from) / 2) * factor]
        show(middle - half, middle + half)
      },
      move: part => show(from + (to - from) * part, to + (to - from) * part),
      reset: () => setWindow(whole),
    }
  }, [window, whole])
}
