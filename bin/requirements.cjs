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
  const isClone = exports.isClone(folder)
  // A clone runs its sources, whose types only a newer Node strips. What a package has was compiled.
  const engine = isClone ? project.devEngines.runtime.version : project.engines.node
  const wanted = engine.replace('>=', '')
  if (!isClone && !fs.existsSync(path.join(folder, 'dist')))
    return `${folder} was packed without what \`npm run pack\` builds: pack leakrig by that script and install it again.`
  const needed = Object.keys(project.dependencies).concat(Object.keys(project.peerDependencies))
  const missing = needed.find(name => !isInstalled(name, folder))
  if (missing && isClone)
    return `The package ${missing} is not installed in ${folder}: run \`npm ci\` there, which also brings Node 24 (Linux, x64 and arm64).`
  if (missing)
    return `The package ${missing}, which leakrig needs, is not installed where ${folder} finds it: install it beside leakrig (npm install -D ${missing}${rangeOf(missing, project)}).`
  if (!isOlder(version, wanted)) return undefined
  return `Node ${wanted} or newer is needed, and this is Node ${version.slice(1)} (${node}): ${remedy(folder, wanted, isClone)}.`
}

/** True where the sources are; a package has only what was compiled of them. */
exports.isClone = folder => fs.existsSync(path.join(folder, 'bin/leakrig.ts'))

const rangeOf = (name, { dependencies, peerDependencies }) =>
  `@${dependencies[name] || peerDependencies[name]}`

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
function remedy(folder, wanted, isClone) {
  if (isClone && fs.existsSync(path.join(folder, 'node_modules/.bin/node')))
    return `start it with \`npm run leakrig -- ...\` in ${folder}, which takes the Node that \`npm ci\` brought`
  if (isClone && process.platform === 'linux' && (process.arch === 'x64' || process.arch === 'arm64'))
    return `run \`npm ci\` without --omit=optional in ${folder}, which brings it`
  return `install Node ${wanted} or newer (https://nodejs.org)`
}
