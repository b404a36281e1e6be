'use strict'
// Runs a program for an npm script in this process, after the check of requirements: a package's program by its name, or
// a file of the project by its path.
const fs = require('fs')
const path = require('path')
const { pathToFileURL } = require('url')
const requirements = require('./requirements.cjs')

requirements.require()
const name = process.argv[2]
const program = path.join(__dirname, '..', name.endsWith('.ts') ? name : path.join('node_modules/.bin', name))
if (!fs.existsSync(program))
  requirements.refuse(`The program ${name} is not installed: run \`npm ci\` without --omit=dev.`)
process.argv.splice(1, 2, fs.realpathSync(program))
import(pathToFileURL(process.argv[1]).href)
