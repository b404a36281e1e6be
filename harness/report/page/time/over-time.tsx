import { useMemo } from 'preact/hooks'
import { type CountTable, count, highest } from '../../../timeline/counts.ts'
import type { Timeline } from '../../../timeline/timeline.ts'
import type { Verdict } from '../../../verdict/verdict.ts'
import { CountTables } from './count-tables.tsx'
import { Counts } from './counts.tsx'
import { Lanes } from './lanes.tsx'
import { SignalLegend } from './signal-marks.tsx'
import { firstDeploy, groupSteps } from './steps.ts'
import { StepList, TimeAxis, TimeButtons } from './time-axis.tsx'
import { wholeOf, windowStyle } from './time-window.ts'
import { useTimeWindow } from './use-time-window.ts'

interface Props {
  verdicts: readonly Verdict[]
  timeline: Timeline
  /** Ids of what leaked. */
  leaked: ReadonlySet<string>
  isRed: boolean
}

/** The steps, the counts and the processes of a scenario on one axis of time. */
export function OverTime({ verdicts, timeline, leaked, isRed }: Props) {
  const whole = useMemo(() => wholeOf(timeline), [timeline])
  const time = useTimeWindow(whole)
  const steps = useMemo(() => groupSteps(timeline), [timeline])
  const table = useMemo(() => verdicts.at(-1)?.counts ?? countsOf(timeline), [verdicts, timeline])
  const harmed = useMemo(
    () => new Set(verdicts.flatMap(one => one.collateral.map(({ id }) => id))),
    [verdicts],
  )
  const tables = useMemo(() => <CountTables table={table} timeline={timeline} />, [table, timeline])
  const kept = verdicts.at(-1)?.kept.reduce((sum, one) => sum + one.count, 0) ?? 0
  return (
    <section class="over-time" style={windowStyle(time)}>
      <div class="section-head">
        <h2>Over time</h2>
        <TimeButtons time={time} />
      </div>
      <StepList steps={steps} />
      <TimeAxis time={time} steps={steps} />
      <Counts table={table} timeline={timeline} steps={steps} time={time} kept={kept} isRed={isRed} />
      {tables}
      <h3>Processes</h3>
      {timeline.signals && <SignalLegend signals={timeline.signals} />}
      <Lanes timeline={timeline} steps={steps} leaked={leaked} harmed={harmed} />
    </section>
  )
}

/** The counts of a scenario that came to no verdict. */
function countsOf(timeline: Timeline): CountTable {
  const all = timeline.samples.map(({ counts }) => counts)
  const before = timeline.samples.findLast(({ at }) => at <= firstDeploy(timeline))?.counts
  const none = count([])
  return { baseline: before ?? all[0] ?? none, peak: all.reduce(highest, none), settled: all.at(-1) ?? none }
}
