import { useEffect, useMemo, useState } from 'preact/hooks'
import type { PageEntry, PageRun } from '../page-blocks.ts'
import { VerdictFilter } from './verdict-filter.tsx'
import { Mark } from './verdicts.tsx'
import { addressOf, type View } from './view.ts'

interface Props {
  run: PageRun
  /** The indexes of the scenarios, the worst first. */
  order: number[]
  view: View
}

/** The list of scenarios with its filter: words of the name, and verdicts. */
export function Navigation({ run: { scenarios, systems }, order, view }: Props) {
  const [text, setText] = useState('')
  const [verdicts, setVerdicts] = useState<readonly PageEntry['verdict'][]>([])
  const [isOpen, setOpen] = useState(false)
  // On a phone the list gives way to what was chosen.
  useEffect(() => setOpen(false), [view])
  const shown = useMemo(
    () => order.filter(index => isWanted(scenarios[index], text, verdicts)),
    [scenarios, order, text, verdicts],
  )
  const toggle = (verdict: PageEntry['verdict']) =>
    setVerdicts(verdicts.includes(verdict) ? verdicts.filter(one => one !== verdict) : [...verdicts, verdict])
  return (
    <header class="side">
      <div class="brand">
        <span class="name">leakrig</span>
        <button
          type="button"
          class="menu"
          aria-expanded={isOpen}
          aria-controls="list"
          onClick={() => setOpen(!isOpen)}
        >
          {isOpen ? 'Close' : `Scenarios (${scenarios.length})`}
        </button>
      </div>
      <div id="list" class={isOpen ? 'list open' : 'list'}>
        <search class="filter">
          <label for="filter">Filter</label>
          <input
            id="filter"
            type="search"
            autocomplete="off"
            spellcheck={false}
            placeholder="Name, system or file"
            value={text}
            onInput={event => setText(event.currentTarget.value)}
          />
          <VerdictFilter scenarios={scenarios} chosen={verdicts} toggle={toggle} />
        </search>
        <nav aria-label="Scenarios" onKeyDown={moveFocus}>
          <a
            class="overview-link"
            href={addressOf('overview')}
            aria-current={view === 'overview' ? 'page' : undefined}
          >
            Overview
          </a>
          <ul>
            {shown.map(index => (
              <Entry
                key={index}
                index={index}
                entry={scenarios[index]}
                isCurrent={view === index}
                withSystem={systems.length > 1}
              />
            ))}
          </ul>
          <p class="found" role="status">
            {shown.length === scenarios.length ? '' : `${shown.length} of ${scenarios.length} scenarios`}
          </p>
        </nav>
      </div>
    </header>
  )
}

function Entry({
  index,
  entry,
  isCurrent,
  withSystem,
}: {
  index: number
  entry: PageEntry | undefined
  isCurrent: boolean
  withSystem: boolean
}) {
  if (!entry) return null
  return (
    <li>
      <a href={addressOf(index)} aria-current={isCurrent ? 'page' : undefined}>
        <Mark verdict={entry.verdict} />
        <span class="title">
          <bdi>{entry.name}</bdi>
          <span class="outcome">
            {entry.outcome}
            {withSystem && (
              <>
                {' · '}
                <bdi>{entry.system}</bdi>
              </>
            )}
          </span>
        </span>
      </a>
    </li>
  )
}

function isWanted(
  entry: PageEntry | undefined,
  text: string,
  verdicts: readonly PageEntry['verdict'][],
): boolean {
  if (!entry || (verdicts.length > 0 && !verdicts.includes(entry.verdict))) return false
  const all = `${entry.name} ${entry.system} ${entry.file}`.toLowerCase()
  return text
    .toLowerCase()
    .split(/\s+/)
    .every(word => all.includes(word))
}

/** The arrow keys, Home and End move through the list. */
function moveFocus(event: KeyboardEvent): void {
  const links = [...(event.currentTarget as HTMLElement).querySelectorAll('a')]
  const at = links.indexOf(event.target as HTMLAnchorElement)
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[event.key]
  if (next === undefined || at < 0) return
  event.preventDefault()
  links[Math.min(Math.max(next, 0), links.length - 1)]?.focus()
}
