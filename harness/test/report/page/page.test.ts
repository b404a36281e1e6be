import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { reportPage } from '../../../report/page.ts'
import { aReport } from '../../support/reports.ts'
import { green, red } from '../../support/sample-report.ts'

/** What a name from outside must not do in a page: end its element, begin another one, or turn the direction of writing. */
const hostile = [
  `</script><script>document.title = 'owned'</script>`,
  `<!-- <script>`,
  `<img src=x onerror="document.title = 'owned'">`,
  '\u001b[2J\u202eevil\u2028line\u2029end\u0000',
  '\ud800',
].join(' ')

const read = (page: string, id: string) =>
  JSON.parse(new RegExp(`<script type="application/json" id="${id}">(.*)</script>`).exec(page)?.[1] ?? 'null')

test('a page is one file with the run, each scenario, and nothing that it would have to load', async () => {
  const page = await reportPage(aReport([green('a completion'), red('a kill')]))
  expect(read(page, 'data-run').scenarios).toEqual([
    expect.objectContaining({ name: 'a completion', verdict: 'pass', outcome: 'back in 1.2 s' }),
    expect.objectContaining({ name: 'a kill', verdict: 'leak', outcome: '2 leaked' }),
  ])
  expect(read(page, 'data-scenario-1')).toMatchObject({ name: 'a kill', timeline: { endedAt: 2_000 } })
  expect(page.match(/<(link|img|iframe)|<script[^>]* src|@import|url\(/)).toBeNull()
})

test('its policy allows its own program and style, by their hashes, and no network', async () => {
  const page = await reportPage(aReport([green('a completion')]))
  const [, policy = ''] = /Content-Security-Policy" content="([^"]*)"/.exec(page) ?? []
  const hash = (element: RegExp) =>
    createHash('sha256')
      .update(element.exec(page)?.[1] ?? '')
      .digest('base64')
  expect(policy.split('; ')).toEqual([
    "default-src 'none'",
    `script-src 'sha256-${hash(/<script>([\s\S]*?)<\/script>/)}'`,
    `style-src 'sha256-${hash(/<style>([\s\S]*?)<\/style>/)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ])
})

test('what comes from outside cannot leave its block of JSON, and is shown with its control characters escaped', async () => {
  const page = await reportPage(aReport([red(hostile, { system: hostile, errors: [hostile] })]))
  const plain = await reportPage(aReport([red('a kill')]))
  const count = (text: string, of: RegExp) => text.match(of)?.length
  expect(count(page, /<\/?script/g)).toBe(count(plain, /<\/?script/g))
  expect(page.includes('<img')).toBe(false)
  expect(page.match(/[\u202e\u2028\u2029\u0000\u001b]/)).toBeNull()
  const { name } = read(page, 'data-scenario-0')
  expect(name).toContain('<img src=x onerror=')
  expect(name).toContain('\\u{1b}[2J\\u{202e}evil\\u{2028}line')
})

test('the program of the page is small', async () => {
  const bytes = Buffer.byteLength(await reportPage(aReport([])))
  console.log(`an empty page has ${bytes} bytes`)
  expect(bytes).toBeLessThan(150_000)
})
