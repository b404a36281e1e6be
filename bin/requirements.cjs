'use strict'
// Checks what has to be there before anything else of ours can be loaded. The machine's own Node runs this, so it uses only
// what Node 12 has, and no package.
const fs = require('fs')
const path = require('path')

const root = path.join(__dirname, '..')
/** The exit code for "could not measure"; 1 would mean a leak. */
const EXIT_CODE = 3

/** Ends the process with one sentence where the packages are missing or Node is too old. */
exports.require = () => {
  const problem = exports.problem(process.version, process.execPath, root)
  if (problem) exports.refuse(problem)
}

exports.refuse = problem => {
  console.error(`leakrig: ${problem}`)
  process.exit(EXIT_CODE)
}

/** What is missing and what to do, in one sentence; undefined where nothing is. `folder` is the project's. */
exports.problem = (version, node, folder) => {
  const project = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'))
  const wanted = project.engines.node.replace('>=', '')
  const missing = Object.keys(project.dependencies).find(name => !isInstalled(name, folder))
  if (missing)
    return `The package ${missing} is not installed in ${folder}: run \`npm ci\` there, which also brings Node 24 (Linux, x64 and arm64).`
  if (!isOlder(version, wanted)) return undefined
  return `The project needs Node ${wanted} or newer, and this is Node ${version.slice(1)} (${node}): ${remedy(folder, wanted)}.`
}

/** Searches as Node does: a package may also lie in a folder above the project. */
function isInstalled(name, folder) {
  const above = path.dirname(folder)
  return (
    fs.existsSync(path.join(folder, 'node_modules', name)) || (above !== folder && isInstalled(name, above))
  )
}

function isOlder(version, wanted) {
  const [mine, needed] = [version.replace('v', ''), wanted].map(text => text.split('.').map(Number))
  return mine[0] === needed[0] ? mine[1] < needed[1] : mine[0] < needed[0]
}

/** `npm ci` installs Node on Linux as an optional package, and is silent when it leaves that out or fails to install it. */
function remedy(folder, wanted) {
  if (fs.existsSync(path.join(folder, 'node_modules/.bin/node')))
    return `start it with \`npm run leakrig -- ...\` in ${folder}, which takes the Node that \`npm ci\` brought`
  if (process.platform === 'linux' && (process.arch === 'x64' || process.arch === 'arm64'))
    return `run \`npm ci\` without --omit=optional in ${folder}, which brings it`
  return `install Node ${wanted} or newer (https://nodejs.org)`
}
