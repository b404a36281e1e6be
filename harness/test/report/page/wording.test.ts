/** @module-tag tools */
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { reportPage } from '../../../report/page.ts'
import { useChromium } from '../../support/chromium.ts'
import { aFinding, aReport } from '../../support/reports.ts'
import { green, red } from '../../support/sample-report.ts'

/** Every sentence of the page, as a screen reader meets it. */

const openPage = useChromium()

const file = 'scenarios/catalogue/1-shapes.test.ts'

/** The accessible text of a part: roles, names and texts in their order. */
const spoken = async (page: Page, part: string): Promise<string> => {
  const text = await page.locator(part).ariaSnapshot()
  // Its form is the browser's, but it names its zone.
  return text.replace(/(term: Began\n.*definition: ).*(CET|GMT\+1)$/m, '$1a time in the zone of the reader')
}

const reader = { locale: 'en-GB', timezoneId: 'Europe/Zurich' }

test('the overview: what ran, its verdicts, what went wrong outside, and every result', async () => {
  const report = aReport(
    [
      green('a completion'),
      red('a kill'),
      green('a crash', {
        verdict: 'known',
        ...{ verdicts: [], errors: [] },
      }),
      green('plain × killed', { file, verdict: 'inconclusive', verdicts: [], errors: ['no tini'] }),
      green('plain × crashed', { file, verdict: 'skipped', verdicts: [] }),
    ],
    { errors: ['a test file could not be read'], fixed: ['not-removed of "a kill", system mine'] },
  )
  const when = { startedAt: '2026-12-01T12:00:00.000Z', durationMs: 61_200, interrupted: 'SIGTERM' as const }
  await using opened = await openPage(await reportPage({ ...report, ...when }), reader, '#overview')
  await expect(await spoken(opened.page, 'body')).toMatchFileSnapshot('spoken/overview.txt')
})

test('a red scenario: why, findings with their evidence, counts, lanes with signals, the tree, what is not counted', async () => {
  const result = red('a kill', {
    unmet: ['The system answered kill with a failure: no such team'],
    notKnown: ['more: 2 orphaned, of which 1 is known'],
    leftOut: ['the list (list)'],
    kept: '/project/.leakrig/a-kill',
  })
  result.verdicts[0]?.collateral.push(aFinding({ verdict: 'collateral', id: 'gone', mechanism: 'gone' }))
  result.verdicts[0]?.notes.push('a tmux client of the user')
  if (result.timeline) {
    const who = { process: 'process 22@1', pid: 22, comm: 'sleep', by: 'call', cleaner: 9, agent: 'agent-1' }
    result.timeline.signals = [{ ...who, at: 700, signal: 'SIGTERM' }]
  }
  await using opened = await openPage(await reportPage(aReport([result])), reader)
  const { page } = opened
  for (const summary of await page.locator('.mechanisms summary').all()) await summary.click()
  for (const name of ['All counts', 'Every change of the curves', 'Every signal of the cleanup'])
    await page.getByText(name, { exact: true }).click()
  await page.getByRole('region', { name: 'Every signal of the cleanup' }).waitFor()
  await page.locator('.evidence-list').nth(1).waitFor()
  await expect(await spoken(page, 'main')).toMatchFileSnapshot('spoken/red-scenario.txt')
})

test('a known leak has how many there are of how many', async () => {
  const known = [
    {
      system: 'mine',
      scenario: 'a kill',
      mechanism: 'orphaned' as const,
      count: 3,
      reason: 'issue 12',
      expires: '2027-01-31',
    },
  ]
  await using opened = await openPage(await reportPage(aReport([red('a kill', { verdict: 'known', known })])))
  await expect
    .poll(() => opened.page.locator('main pre').allTextContents())
    .toEqual(['known until 2027-01-31: 2 orphaned of at most 3 (issue 12)'])
})

test('what was not measured says why, and has no time line', async () => {
  const unsure = green('ten agents', { verdict: 'inconclusive', verdicts: [], errors: ['no tmux'] })
  delete unsure.timeline
  await using opened = await openPage(await reportPage(aReport([unsure])))
  expect(await spoken(opened.page, 'main')).toMatchInlineSnapshot(`
    "- main:
      - article:
        - paragraph: inconclusive
        - heading "ten agents" [level=1]
        - paragraph: system mine · scenarios/2-manual-kill.test.ts · 2.5 s
        - heading "Why" [level=2]
        - text: no tmux
        - paragraph: There is no time line of it."
  `)
})
