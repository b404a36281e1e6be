import { useState } from 'preact/hooks'
import type { Finding, Verdict } from '../../../verdict/verdict.ts'
import { kinds, owners } from '../../finding-words.ts'
import { seconds } from '../../text.ts'

/** What leaked and what was harmed: by kind and mechanism, each with its evidence and the command that shows it. */
export function Findings({ verdicts }: { verdicts: readonly Verdict[] }) {
  const leaks = eachOnce(verdicts.flatMap(one => one.leaks))
  const collateral = eachOnce(verdicts.flatMap(one => one.collateral))
  if (leaks.length + collateral.length === 0) return null
  return (
    <section class="findings">
      <h2>Findings</h2>
      <Kind title="Leaked" findings={leaks} />
      <Kind title="Harmed" findings={collateral} />
    </section>
  )
}

/** Several verdicts of a scenario may find the same. */
function eachOnce(findings: readonly Finding[]): Finding[] {
  return [...new Map(findings.map(one => [one.id, one])).values()]
}

function Kind({ title, findings }: { title: string; findings: readonly Finding[] }) {
  const [first] = findings
  if (!first) return null
  const groups = [...Map.groupBy(findings, ({ kind, why }) => `${kind} ${why}`).values()]
  return (
    <>
      <p class="lead">
        {title}: {owners(findings)}, seen for {seconds(first.outlivedMs)} after the ending.
      </p>
      <ul class="mechanisms">
        {groups
          .toSorted((one, other) => other.length - one.length)
          .map(group => (
            <Mechanism key={group[0]?.id} group={group} />
          ))}
      </ul>
    </>
  )
}

function Mechanism({ group }: { group: readonly Finding[] }) {
  const [first] = group
  // A thousand findings are drawn when somebody wants to see them.
  const [isOpen, setOpen] = useState(false)
  if (!first) return null
  return (
    <li>
      <details onToggle={event => setOpen(event.currentTarget.open)}>
        <summary>
          <span class="number">{group.length}</span>
          <span class="kind">{kinds[first.kind][group.length === 1 ? 0 : 1]}</span>
          <span class="why">{first.why}</span>
          <code class="mechanism">{first.mechanism}</code>
        </summary>
        {isOpen && <Evidence group={group} />}
      </details>
    </li>
  )
}

function Evidence({ group }: { group: readonly Finding[] }) {
  return (
    <ul class="evidence-list">
      {group.map(({ id, what, owner, command }) => (
        <li key={id}>
          <bdi class="what">{what}</bdi>
          <span class="owner">
            {owner ? (
              <>
                of <bdi>{owner.agent}</bdi>: {owner.evidence}
              </>
            ) : (
              'without a known owner'
            )}
          </span>
          <code class="command">$ {command}</code>
        </li>
      ))}
    </ul>
  )
}
