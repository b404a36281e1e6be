import { createHash } from 'node:crypto'
import { pageProgram } from '../../bin/report-page.ts'
import { pageBlocks } from './page-data.ts'
import type { Report } from './report.ts'

/**
 * The report of a run, with the time lines of its scenarios, as one HTML page that needs nothing else: no network, no server.
 * Only the page's own program may run in it (Content-Security-Policy), and all data is inert JSON.
 */
export async function reportPage(report: Report): Promise<string> {
  const { script, style } = await pageProgram()
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(script)}`,
    `style-src ${hashOf(style)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  const blocks = pageBlocks(report).map(
    ({ id, json }) => `<script type="application/json" id="${id}">${json}</script>`,
  )
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>leakrig report</title>
<style>${style}</style>
</head>
<body>
<noscript>This page draws the report with JavaScript. report.json, beside it, has the same data.</noscript>
<div id="page"></div>
${blocks.join('\n')}
<script>${script}</script>
</body>
</html>
`
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}
