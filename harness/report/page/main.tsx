/*! With preact, Copyright (c) 2015-present Jason Miller, and uPlot, Copyright (c) Leon Sorokin, both under the MIT License. */
import { render } from 'preact'
import { App } from './app.tsx'
import { readRun } from './data.ts'

const run = readRun()
const place = document.getElementById('page')
if (place) render(<App run={run} />, place)
