/** @module-tag tools */
import { expect, test } from 'vitest'
import { junitXml } from '../../report/junit.ts'
import { useChromium } from '../support/chromium.ts'
import { aReport, green, red } from '../support/reports.ts'

const openPage = useChromium()

test('for a parser of XML, text from outside makes no element of JUnit, and the file is well-formed', async () => {
  const forged =
    ']]> ]]></failure></testcase><testcase classname="x" name="forged"/><testcase name="y"><failure><![CDATA['
  const controls = String.fromCodePoint(...Array.from({ length: 32 }, (_, at) => at), 0xd800, 0xfffe, 0xffff)
  const text = `${forged}${controls}]]>]]`
  const xml = junitXml(
    aReport(
      [
        red(`a${text}`, { file: text, unmet: [text], errors: [text] }),
        green(`b${text}`, { verdict: 'inconclusive', verdicts: [], errors: [text] }),
        green(`c${text}`, { verdict: 'skipped', errors: [text] }),
      ],
      { errors: [text], fixed: [text] },
    ),
  )
  await using opened = await openPage('')
  // A text, because DOMParser is none of Node's.
  const found = await opened.page.evaluate(`{
    const parsed = new DOMParser().parseFromString(${JSON.stringify(xml)}, 'application/xml')
    const all = name => [...parsed.querySelectorAll(name)]
    const found = {
      wrong: all('parsererror').map(one => one.textContent),
      cases: all('testcase').map(one => one.getAttribute('name')[0]),
      failures: all('failure').length,
      errors: all('error').length,
    }
    found
  }`)
  expect(found).toEqual({ wrong: [], cases: ['a', 'b', 'c', 'a', 'a'], failures: 1, errors: 3 })
})
