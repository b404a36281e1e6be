#!/usr/bin/env node
'use strict'
const path = require('path')
const { pathToFileURL } = require('url')
const requirements = require('./requirements.cjs')

requirements.require()
const isClone = requirements.isClone(path.join(__dirname, '..'))

/** A module of this folder, or in a package what was compiled of it. */
const load = name =>
  import(pathToFileURL(path.join(__dirname, isClone ? `${name}.ts` : `../dist/bin/${name}.js`)).href)

async function main([command, ...args]) {
  // A service of another user, who may not write here, takes the bundle that its installation made.
  if (command === 'service' && args[0] === 'install') await (await load('start-daemon')).prepareDaemon()
  // Does not return where Node can replace a process.
  if (command === 'daemon') await (await load('start-daemon')).startDaemon(args)
  await load('leakrig')
}
main(process.argv.slice(2))
