#!/usr/bin/env node
/** The cost of drawing a report's page by the number of processes, in a headless Chromium without a graphics card. */
import type { Page } from 'playwright-core'
import { reportPage } from '../report/page.ts'
import { openPage, startChromium } from '../test/support/chromium.ts'
import { aReport } from '../test/support/reports.ts'
import { leak, process as processOf, scenario } from '../test/support/sample-report.ts'

const sizes = [100, 1_000]
const rounds = 7

/** Each in ms, a median. A frame is the time from a change until the next picture is there. */
interface Times {
  'until something was painted': number
  'until drawn': number
  'a frame of opening or closing an agent': number
  'a zoom': number
  'a frame of scrolling': number
}

/** What was painted first, from the beginning of the navigation. */
const untilPainted = `new Promise(done => new PerformanceObserver(list =>
  done(list.getEntries()[0].startTime)).observe({ type: 'paint', buffered: true }))`

/** From the beginning of the navigation until the page's program has drawn it. */
const untilDrawn = `performance.getEntriesByType('navigation')[0].loadEventEnd`

const browser = await startChromium(process.env.LEAKRIG_CHROMIUM ?? '/usr/bin/chromium')
try {
  const measured: [number, Times][] = []
  for (const size of sizes) measured.push([size, await measure(size)])
  const [[, small] = [], [, large] = []] = measured
  if (!small || !large) throw new Error('nothing was measured')
  for (const name of Object.keys(small) as (keyof Times)[]) {
    const ratio = (large[name] / small[name]).toFixed(1)
    console.log(
      `${name}: ${small[name].toFixed(1)} ms for 100 processes, ${large[name].toFixed(1)} ms for 1,000: × ${ratio}`,
    )
  }
} finally {
  await browser.close()
}

async function measure(size: number): Promise<Times> {
  const many = Array.from({ length: size }, (_, at) => processOf(100 + at, 'claude', 1, `agent-${at % 50}`))
  const crowded = scenario('crowded', { baseline: [], peak: many, left: many, leaks: many.map(leak) })
  const signals = many.map(({ id, pid, comm }) => ({ at: 700, signal: 'SIGTERM', process: id, pid, comm }))
  if (crowded.timeline) crowded.timeline.signals = signals
  const html = await reportPage(aReport([crowded]))
  console.log(`${size} processes: a page of ${Math.round(Buffer.byteLength(html) / 1000)} KB`)
  const all: Times[] = []
  for (let round = 0; round < rounds; round += 1) {
    await using opened = await openPage(browser, html)
    const { page } = opened
    all.push({
      'until something was painted': await page.evaluate<number>(untilPainted),
      'until drawn': await page.evaluate<number>(untilDrawn),
      'a frame of opening or closing an agent': await frame(
        page,
        `document.querySelector('.group > summary').click()`,
      ),
      'a zoom': await frame(page, `document.querySelector('[aria-label="Zoom in"]').click()`),
      'a frame of scrolling': await frame(page, 'scrollBy(0, 400)'),
    })
  }
  const median = (name: keyof Times) =>
    all.map(times => times[name]).toSorted((one, other) => one - other)[(rounds - 1) / 2] ?? Number.NaN
  return {
    'until something was painted': median('until something was painted'),
    'until drawn': median('until drawn'),
    'a frame of opening or closing an agent': median('a frame of opening or closing an agent'),
    'a zoom': median('a zoom'),
    'a frame of scrolling': median('a frame of scrolling'),
  }
}

/** The time of ten changes, each until its frame was painted. */
function frame(page: Page, change: string): Promise<number> {
  return page.evaluate<number>(`(async () => {
    const painted = () => new Promise(done => requestAnimationFrame(() => {
      const channel = new MessageChannel()
      channel.port1.onmessage = done
      channel.port2.postMessage(0)
    }))
    await painted()
    let spent = 0
    for (let at = 0; at < 10; at += 1) {
      const began = performance.now()
      ${change}
      await painted()
      spent += performance.now() - began
    }
    return spent / 10
  })()`)
}
