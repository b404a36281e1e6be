#!/usr/bin/env node
'use strict'
require('./requirements.cjs').require()

async function main([command, ...args]) {
  // A service of another user, who may not write here, takes the bundle that its installation made.
  if (command === 'service' && args[0] === 'install')
    await (await import('./start-daemon.ts')).prepareDaemon()
  // Does not return where Node can replace a process.
  if (command === 'daemon') await (await import('./start-daemon.ts')).startDaemon(args)
  await import('./leakrig.ts')
}
main(process.argv.slice(2))
