/** @module-tag tools */
import axe, { type AxeResults } from 'axe-core'
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { reportPage } from '../../../report/page.ts'
import { soakSentences } from '../../../report/soak-text.ts'
import { judgeSoak } from '../../../soak/judge.ts'
import { rounds } from '../../soak/rounds.ts'
import { useChromium } from '../../support/chromium.ts'
import { aReport } from '../../support/reports.ts'
import { green, leak, process, red, scenario } from '../../support/sample-report.ts'

const openPage = useChromium()

const file = 'scenarios/catalogue/1-shapes.test.ts'

/** A run of scenarios and cells with every verdict, against two systems. */
const mixed = aReport([
  green('a completion'),
  red('a kill'),
  red('plain × killed', { file, system: 'other' }),
  green('plain × crashed', { file, system: 'other' }),
  green('detached × killed', {
    file,
    system: 'other',
    verdict: 'inconclusive',
    verdicts: [],
    errors: ['no tini'],
  }),
  green('detached × crashed', { file, system: 'other', verdict: 'skipped', verdicts: [] }),
])

let html: string
beforeAll(async () => {
  html = await reportPage(mixed)
})

const heading = (page: Page) => page.getByRole('heading', { level: 1 })
/** Waits for a scenario to be shown: an address changes after the click. */
const shows = (page: Page, title: string) => expect.poll(() => heading(page).textContent()).toBe(title)
const list = (page: Page) => page.getByRole('navigation', { name: 'Scenarios' })
const names = (page: Page) => list(page).locator('.title > bdi').allTextContents()

describe('with a pointer', () => {
  test('the worst is first in the list and open; each entry opens its scenario, and "back" goes back', async () => {
    await using opened = await openPage(html)
    const { page } = opened
    expect((await names(page)).slice(0, 3)).toEqual(['a kill', 'plain × killed', 'detached × killed'])
    await shows(page, 'a kill')
    await expect.poll(() => list(page).locator('[aria-current]').textContent()).toContain('a kill')
    await list(page).getByText('a completion').click()
    await shows(page, 'a completion')
    await expect.poll(() => page.title()).toBe('a completion · leakrig report')
    await page.goBack()
    await shows(page, 'a kill')
    expect(opened.errors).toEqual([])
  })

  test('words and verdicts filter the list', async () => {
    await using opened = await openPage(html)
    const { page } = opened
    await page.getByLabel('Filter').fill('KILLED other')
    await expect.poll(() => names(page)).toEqual(['plain × killed', 'detached × killed'])
    await expect.poll(() => page.getByRole('status').textContent()).toBe('2 of 6 scenarios')
    await page.getByRole('button', { name: 'inconclusive' }).click()
    await expect.poll(() => names(page)).toEqual(['detached × killed'])
    await page.getByRole('button', { name: 'inconclusive' }).click()
    await page.getByLabel('Filter').fill('')
    await expect.poll(() => names(page)).toHaveLength(6)
  })

  test('a cell of the matrix leads to its scenario', async () => {
    await using opened = await openPage(html)
    const { page } = opened
    await page.getByRole('link', { name: 'Overview' }).click()
    const matrix = page.getByRole('table').filter({ hasText: 'plain' })
    await expect
      .poll(() => matrix.getByRole('columnheader').allTextContents())
      .toEqual(['Shape', 'crashed', 'killed'])
    await expect
      .poll(() => matrix.getByRole('row').nth(1).textContent())
      .toBe('detached– skipped? inconclusive')
    await matrix.getByRole('link', { name: 'leak, 2 leaked: plain × killed' }).click()
    await shows(page, 'plain × killed')
  })

  test('the process tree is shown before, at the peak and after', async () => {
    await using opened = await openPage(html)
    const { page } = opened
    const shown = async () => (await page.locator('.node-name').allTextContents()).map(name => name.trim())
    await expect.poll(shown).toEqual(['tmux: server 10', 'claude 21 leaked', 'sleep 22 leaked'])
    await page.getByRole('radio', { name: 'At the peak' }).check()
    await expect
      .poll(shown)
      .toEqual([...['tmux: server 10', 'bash 20', 'claude 21 leaked', 'sleep 22 leaked', 'claude 30']])
    await page.getByRole('radio', { name: 'Before' }).check()
    await expect.poll(shown).toEqual(['tmux: server 10'])
  })

  test('a finding opens with its evidence and its command', async () => {
    await using opened = await openPage(html)
    const { page } = opened
    const finding = page.getByText('$ ps -p 21')
    expect(await finding.isVisible()).toBe(false)
    await page.getByText('orphaned: it outlived').click()
    await expect.poll(() => finding.isVisible()).toBe(true)
    expect(await page.getByText('of agent-1: TMUX_PANE').first().isVisible()).toBe(true)
  })

  test('leaked lanes reach the right edge, and say so in words; dragging over a curve shows a part of the time', async () => {
    await using opened = await openPage(html)
    const { page } = opened
    const lane = page.locator('.lane').filter({ hasText: 'sleep' })
    expect(await lane.textContent()).toBe('sleep 22, from 0.40 s, leaked')
    const edge = async (part: string) => {
      const box = await lane.locator(part).boundingBox()
      return Math.round((box?.x ?? 0) + (box?.width ?? 0))
    }
    expect(await edge('.bar')).toBe(await edge('.track'))
    const ticks = () => page.locator('.tick').allTextContents()
    await expect.poll(async () => (await ticks())[0]).toBe('0.5 s')
    const box = await page.locator('.u-over').first().boundingBox()
    if (!box) throw new Error('no curve')
    await page.mouse.move(box.x + box.width * 0.25, box.y + 20)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width * 0.75, box.y + 20, { steps: 4 })
    await page.mouse.up()
    await expect.poll(ticks).toEqual(['0.6 s', '0.8 s', '1.0 s', '1.2 s', '1.4 s'])
    await page.getByRole('button', { name: 'Whole' }).click()
    await expect.poll(async () => (await ticks())[0]).toBe('0.5 s')
  })

  test('the pointer over a curve shows every value at that time', async () => {
    await using opened = await openPage(html)
    const { page } = opened
    await page.locator('.u-over').first().hover()
    const pointed = page.locator('tr').filter({ hasText: 'all processes' }).locator('.pointed')
    await expect.poll(() => pointed.first().textContent()).toBe('3')
  })
})

describe('by keyboard alone', () => {
  test('the list, the results, the tree and the time are reached', async () => {
    await using opened = await openPage(html)
    const { page } = opened
    const focused = () => page.evaluate(() => document.activeElement?.textContent ?? '')
    await page.keyboard.press('Tab')
    await expect.poll(focused).toBe('Skip to the results')
    await page.keyboard.press('Tab')
    await page.keyboard.type('completion')
    await expect.poll(() => names(page)).toEqual(['a completion'])
    await list(page).getByRole('link').first().focus()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await shows(page, 'a completion')
    await expect.poll(focused).toBe('a completion')
    await page.getByRole('radio', { name: 'At the peak' }).focus()
    await page.keyboard.press('ArrowRight')
    await expect.poll(() => page.getByRole('radio', { name: 'After' }).isChecked()).toBe(true)
    await page.getByRole('button', { name: 'Zoom in' }).focus()
    await page.keyboard.press('Enter')
    await expect.poll(() => page.locator('.tick').first().textContent()).not.toBe('0.5 s')
  })

  test('a screen reader finds landmarks, headings and the counts as a table', async () => {
    await using opened = await openPage(html)
    const { page } = opened
    expect(await page.locator('main').ariaSnapshot()).toContain('- heading "a kill" [level=1]')
    const counts = page.getByRole('table', { name: 'Counts at the baseline, at the peak and settled' })
    expect(await counts.getByRole('row', { name: 'claude processes 0 2 1' }).count()).toBe(1)
    const headings = await page.getByRole('heading', { level: 2 }).allTextContents()
    expect(headings).toEqual(['Findings', 'Over time', 'Process tree', 'Not counted'])
  })
})

describe.each(['light', 'dark'] as const)('in %s', colorScheme => {
  test.for(['#overview', '#scenario-0', '#scenario-1', '#scenario-4'])(
    'axe finds nothing in %s',
    async hash => {
      await using opened = await openPage(html, { colorScheme }, hash)
      const { page } = opened
      await page.evaluate(() => {
        for (const one of document.querySelectorAll('details')) one.open = true
      })
      expect(await violations(page)).toEqual([])
      expect(opened.errors).toEqual([])
    },
  )

  test('the paper has its colour', async () => {
    await using opened = await openPage(html, { colorScheme })
    const paper = await opened.page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    expect(paper).toBe(colorScheme === 'dark' ? 'rgb(23, 24, 27)' : 'rgb(255, 255, 255)')
  })
})

test('axe finds a defect where there is one', async () => {
  await using opened = await openPage(html)
  await opened.page.evaluate(() => document.querySelector('main')?.append(document.createElement('img')))
  expect(await violations(opened.page)).toEqual(['image-alt: <img>'])
})

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  const { violations } = (await page.evaluate('axe.run()')) as AxeResults
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`))
}

test.for(['#overview', '#scenario-1'])('on a phone nothing is wider than the screen: %s', async hash => {
  await using opened = await openPage(html, { viewport: { width: 390, height: 844 }, hasTouch: true }, hash)
  const { page } = opened
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390)
  await expect.poll(() => list(page).isVisible()).toBe(false)
  await page.getByRole('button', { name: 'Scenarios (6)' }).tap()
  await list(page).getByText('a completion').tap()
  await shows(page, 'a completion')
  await expect.poll(() => list(page).isVisible()).toBe(false)
  expect(await violations(page)).toEqual([])
})

test('on a phone a finding has its mechanism below its sentence', async () => {
  await using opened = await openPage(html, { viewport: { width: 390, height: 844 } }, '#scenario-1')
  const finding = opened.page.locator('.mechanisms summary').first()
  const top = (part: string) => finding.locator(part).evaluate(one => one.getBoundingClientRect().top)
  await expect.poll(() => finding.locator('.mechanism').isVisible()).toBe(true)
  expect(await top('.mechanism')).toBeGreaterThan(await top('.why'))
})

test('the signals of the cleanup are marked on the lanes, and named in words and in a table', async () => {
  const result = red('a kill')
  const signal = {
    pid: 22,
    process: 'process 22@1',
    comm: 'sleep',
    by: 'daemon',
    cleaner: 9,
    agent: 'agent-1',
  }
  const signals = [
    { ...signal, at: 700, signal: 'SIGTERM' },
    { ...signal, at: 900, signal: 'SIGKILL', agent: '<b>agent-1</b>' },
  ]
  if (result.timeline) Object.assign(result.timeline, { signals })
  await using opened = await openPage(await reportPage(aReport([result])))
  const { page } = opened
  const marks = page.locator('.lane', { hasText: 'sleep' }).locator('.track .signal')
  expect(await marks.allInnerTexts()).toEqual([
    'T\nSIGTERM by the daemon (9) at 0.70 s,',
    'K\nSIGKILL by the daemon (9) at 0.90 s,',
  ])
  await page.getByText('Every signal of the cleanup').click()
  const rows = page.getByRole('region', { name: 'Every signal of the cleanup' }).getByRole('row')
  await expect
    .poll(() => rows.allInnerTexts())
    .toEqual([
      'Time\tSignal\tTo\tOf\tBy',
      '0.70 s\tSIGTERM\tsleep 22\tagent-1\tthe daemon 9',
      '0.90 s\tSIGKILL\tsleep 22\t<b>agent-1</b>\tthe daemon 9',
    ])
  expect(await violations(page)).toEqual([])
})

test.for([1_440, 820, 390])(
  'on %i px, no number of a step covers another one, and no time is cut',
  async width => {
    await using opened = await openPage(html, { viewport: { width, height: 900 } })
    const boxes = (of: string) =>
      opened.page
        .locator(of)
        .evaluateAll(all =>
          all
            .map(one => one.getBoundingClientRect())
            .map(({ left, right, top, bottom }) => ({ left, right, top, bottom })),
        )
    const numbers = await boxes('.axis .step-number')
    expect(numbers.length).toBeGreaterThan(2)
    for (const [at, one] of numbers.entries())
      for (const other of numbers.slice(at + 1))
        expect(
          one.right <= other.left ||
            other.right <= one.left ||
            one.bottom <= other.top ||
            other.bottom <= one.top,
        ).toBe(true)
    const [axis] = await boxes('.axis .track')
    for (const { right } of await boxes('.tick')) expect(right).toBeLessThanOrEqual((axis?.right ?? 0) + 1)
    expect((axis?.right ?? 0) - (axis?.left ?? 0)).toBeGreaterThan(300)
  },
)

test('in print there is the scenario, without the list and the buttons', async () => {
  await using opened = await openPage(html)
  const { page } = opened
  await page.emulateMedia({ media: 'print' })
  await expect.poll(() => list(page).isVisible()).toBe(false)
  expect(await page.getByRole('button', { name: 'Zoom in' }).isVisible()).toBe(false)
  expect(await page.locator('.lane').first().isVisible()).toBe(true)
})

/** The page of a soak with a leak. */
function soakPage(): Promise<string> {
  const soak = judgeSoak(
    { seed: 1, agents: 5 },
    rounds(20, agents => ({ prompts: agents / 5 })),
  )
  const result = green('soak', { verdict: 'leak', verdicts: [], soak, errors: soakSentences(soak) })
  return reportPage(aReport([result]))
}

test('on a phone the amounts of a soak have their heads', async () => {
  await using opened = await openPage(await soakPage(), { viewport: { width: 390, height: 844 } })
  const { page } = opened
  const heads = page.locator('.slopes thead th')
  await expect
    .poll(() => heads.allInnerTexts())
    .toEqual(['Resource', 'before', 'warm', 'last', 'each agent', 'verdict'])
  const edges = (row: string) =>
    page
      .locator(`.slopes ${row} > :not(.resource, .curve-head, .curve-cell)`)
      .evaluateAll(cells => cells.map(cell => cell.getBoundingClientRect().right))
  expect(await edges('thead tr')).toEqual(await edges('tbody tr:first-child'))
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390)
})

test('a soak has a slope for each resource, what leaks first', async () => {
  await using opened = await openPage(await soakPage())
  const { page } = opened
  const slopes = page.getByRole('table', { name: 'Growth of each resource with each agent' })
  expect(await slopes.getByRole('row').nth(1).textContent()).toBe('files: prompt05200.20 ± 0.12LEAK')
  await page.locator('.u-over').first().hover()
  await expect.poll(() => page.locator('.pointed').first().textContent()).toBe('10')
  expect(await page.locator('article h2').allTextContents()).toEqual(['Slopes', 'Why'])
  expect(await page.evaluate(() => document.documentElement.scrollHeight)).toBeLessThan(2_000)
  const processes = page.getByText('Every agent over time, and the process tree')
  await processes.click()
  await expect.poll(() => page.getByRole('heading', { name: 'Process tree' }).isVisible()).toBe(true)
  await processes.click()
  expect(await violations(page)).toEqual([])
  expect(opened.errors).toEqual([])
})

test('hostile names are text, and the page asks for nothing but itself', async () => {
  const script = `</script><script>document.title = 'owned'</script>`
  const name = `<img src="http://127.0.0.1:9/x" onerror="document.title = 'owned'"> \u001b[31m \u202egpj.exe`
  const evil = process(66, name, 1, script)
  const all = { baseline: [], peak: [evil], left: [evil], leaks: [leak(evil)] }
  const more = { system: script, file: name, kept: name, errors: [name], unmet: [script], leftOut: [name] }
  await using opened = await openPage(await reportPage(aReport([scenario(`${name} × ${script}`, all, more)])))
  const { page } = opened
  expect(await heading(page).textContent()).toContain('<img src="http://127.0.0.1:9/x"')
  expect(await page.locator('.lane-name').textContent()).toContain('\\u{1b}[31m \\u{202e}gpj.exe')
  await page.getByRole('link', { name: 'Overview' }).click()
  await expect.poll(() => page.locator('.matrix').textContent()).toContain(script)
  expect(await page.locator('img').count()).toBe(0)
  await expect.poll(() => page.title()).toBe('Overview · leakrig report')
  expect(opened.requests.filter(url => !url.startsWith('file:'))).toEqual([])
  expect(opened.errors).toEqual([])
})

test('the policy refuses the network and every other script', async () => {
  await using opened = await openPage(html)
  const { page } = opened
  const refused = await page.evaluate(() =>
    fetch('http://127.0.0.1:9/').then(
      () => false,
      () => true,
    ),
  )
  expect(refused).toBe(true)
  await page.evaluate(() => {
    const script = document.createElement('script')
    script.textContent = `document.title = 'owned'`
    document.body.append(script)
  })
  expect(await page.title()).not.toBe('owned')
  const policy = opened.errors.join('\n')
  expect(policy).toContain('http://127.0.0.1:9/')
  expect(policy).toMatch(/inline script.*Content Security Policy/)
})

test('a thousand processes have their lanes, and a change of what is shown draws none of them anew', async () => {
  const many = Array.from({ length: 1_000 }, (_, at) => process(100 + at, 'claude', 1, `agent-${at % 50}`))
  const crowded = scenario('crowded', { baseline: [], peak: many, left: many, leaks: many.map(leak) })
  await using opened = await openPage(await reportPage(aReport([crowded])))
  const { page } = opened
  expect(await page.locator('.lane').count()).toBe(1_000)
  const first = await page.locator('.lane').first().elementHandle()
  await page.getByRole('button', { name: 'Zoom in' }).click()
  expect(
    await page
      .locator('.lane')
      .first()
      .evaluate((lane, before) => lane === before, first),
  ).toBe(true)
})
