import { render } from 'preact'
import { App } from './app.tsx'
import { readRun } from './data.ts'

const run = readRun()
const place = document.getElementById('page')
if (place) render(<App run={run} />, place)
