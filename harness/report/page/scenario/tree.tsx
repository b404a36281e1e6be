import { useMemo, useState } from 'preact/hooks'
import type { Timeline } from '../../../timeline/timeline.ts'
import { nameOf } from '../process-names.ts'
import { timeText } from '../time/time-window.ts'
import { type Moment, momentAt, momentNames, type ProcessNode, treeAt } from './moments.ts'

interface Props {
  timeline: Timeline
  leaked: ReadonlySet<string>
  /** The moment that is shown at first. */
  first: Moment
}

/** The processes as a tree: before the first deploy, at the peak, after everything had settled. */
export function ProcessTree({ timeline, leaked, first }: Props) {
  const [moment, setMoment] = useState<Moment>(first)
  const at = momentAt(moment, timeline)
  const roots = useMemo(() => treeAt(timeline.lives, at), [timeline, at])
  return (
    <>
      <fieldset class="moments">
        <legend class="hidden">Moment of the process tree</legend>
        {(Object.keys(momentNames) as Moment[]).map(name => (
          <label key={name}>
            <input type="radio" name="moment" checked={name === moment} onChange={() => setMoment(name)} />
            <span>
              {momentNames[name]} <span class="at">{timeText(momentAt(name, timeline), 0)}</span>
            </span>
          </label>
        ))}
      </fieldset>
      {roots.length > 0 ? <Nodes nodes={roots} leaked={leaked} /> : <p class="quiet">No process.</p>}
    </>
  )
}

interface NodesProps {
  nodes: readonly ProcessNode[]
  leaked: ReadonlySet<string>
  /** The agent of the process above, which need not be named again. */
  agent?: string | undefined
}

function Nodes({ nodes, leaked, agent }: NodesProps) {
  return (
    <ul class="tree">
      {nodes.map(({ life, state, children }) => {
        const { name, pid, memory, command } = nameOf(life)
        return (
          <li key={life.id}>
            <div class={leaked.has(life.id) ? 'node leaked' : 'node'}>
              <span class="node-name">
                <bdi>{name}</bdi> <span class="pid">{pid}</span>{' '}
                {leaked.has(life.id) && <span class="badge">leaked</span>}{' '}
                {state === 'T' && <span class="badge plain">stopped</span>}{' '}
                {state === 'Z' && <span class="badge plain">zombie</span>}
              </span>
              <bdi class="command">{command}</bdi>
              <span class="memory">{memory}</span>
              {life.evidence && (
                <span class="evidence">
                  {life.agent !== agent && (
                    <>
                      of <bdi>{life.agent}</bdi>:{' '}
                    </>
                  )}
                  {life.evidence}
                </span>
              )}
            </div>
            {children.length > 0 && <Nodes nodes={children} leaked={leaked} agent={life.agent} />}
          </li>
        )
      })}
    </ul>
  )
}
