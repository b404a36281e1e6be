import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll } from 'vitest'
import { needs } from '../../../test/needs.ts'

/** A page in a profile of its own, with what it asked for and what went wrong in it. */
export interface Opened extends AsyncDisposable {
  page: Page
  /** The address of every request. */
  requests: string[]
  /** What was logged as an error, or thrown. */
  errors: string[]
}

export type Open = (html: string, options?: BrowserContextOptions, hash?: string) => Promise<Opened>

/**
 * Starts a headless Chromium for the tests of a file, which are skipped where there is none.
 * @returns opens a page from a file of its own
 */
export function useChromium(): Open {
  const executablePath = process.env.LEAKRIG_CHROMIUM ?? '/usr/bin/chromium'
  const isPresent = isExecutable(executablePath)
  needs(`Chromium at ${executablePath}`, isPresent)
  let browser: Browser | undefined
  beforeAll(async () => {
    if (isPresent) browser = await startChromium(executablePath)
  }, 60_000)
  afterAll(() => browser?.close())
  return async (html, options, hash) => {
    if (!browser) throw new Error('Chromium has not started.')
    return openPage(browser, html, options, hash)
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Starts it without a sandbox of its own, which root may not use, and without traffic in the background. */
export function startChromium(executablePath: string): Promise<Browser> {
  const args = [
    ...['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run'],
    ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
  ]
  return chromium.launch({ executablePath, args })
}

/** Opens a page from a file, as a user does. */
export async function openPage(
  browser: Browser,
  html: string,
  options: BrowserContextOptions = {},
  hash = '',
): Promise<Opened> {
  const folder = mkdtempSync(join(tmpdir(), 'leakrig-page-'))
  const file = join(folder, 'index.html')
  writeFileSync(file, html)
  const context = await browser.newContext(options)
  context.setDefaultTimeout(10_000)
  const requests: string[] = []
  const errors: string[] = []
  context.on('request', request => requests.push(request.url()))
  context.on('console', message => message.type() === 'error' && errors.push(message.text()))
  context.on('weberror', error => errors.push(error.error().message))
  const page = await context.newPage()
  await page.goto(`${pathToFileURL(file)}${hash}`)
  return {
    ...{ page, requests, errors },
    [Symbol.asyncDispose]: async () => {
      await context.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
