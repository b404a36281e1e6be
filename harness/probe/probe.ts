import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Layout } from '../definition/system.ts'
import { isGone } from '../errors.ts'
import type { ProbeApi } from './api.ts'
import { readFiles } from './files.ts'
import { Owners } from './owners.ts'
import type { SandboxFolders } from './places.ts'
import { readProcess } from './processes.ts'
import { emptyFolders, endEverything, makeFolders, stopEverything, unmountBelow } from './reset.ts'
import { signalWhenSeen } from './signal-when-seen.ts'
import { System } from './system.ts'
import { tail } from './tail.ts'
import { countByPs, takeSnapshot } from './take-snapshot.ts'
import { Terminals } from './terminals.ts'
import { runTool } from './tools.ts'

/** Implements the probe's calls. `keep` are folders below the root that are not the sandbox's own. */
export function createProbe(places: SandboxFolders, keep: string[]): ProbeApi {
  makeFolders(places)
  const newSystem = () => new System(join(places.own, 'calls'))
  let owners = new Owners()
  let system = newSystem()
  let layout: Layout = { files: [], registries: [] }
  const terminals = new Terminals()

  return {
    async hello() {
      return { node: process.version, places }
    },

    async powerOff() {
      stopEverything()
      await endEverything()
      system = newSystem()
    },

    async reset(next = { files: [], registries: [] }) {
      await endEverything()
      await unmountBelow(places.work)
      emptyFolders(places, keep)
      makeFolders(places)
      owners = new Owners()
      system = newSystem()
      layout = next
    },

    async startSystem(programs) {
      system = newSystem()
      return system.start(programs)
    },

    call: call => system.call(call),
    systemOutput: async () => system.output.text,
    registerAgent: async agent => owners.add(agent),
    registerReported: async (agent, reported) => owners.addReported(agent, reported),
    snapshot: () => takeSnapshot({ root: places.root, own: places.own, keep, owners, layout }),
    countByPs,

    async plant([file = '', ...args], env = {}) {
      const child = spawn(file, args, {
        stdio: 'ignore',
        detached: true,
        cwd: places.home,
        env: { ...process.env, ...env },
      })
      await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject))
      const identity = readProcess(child.pid ?? 0)
      if (!identity) throw new Error(`${file} ended as soon as it was started.`)
      return { pid: identity.pid, start: identity.start }
    },

    async signal({ pid, start }, signal) {
      if (readProcess(pid)?.start !== start) return false
      return process.kill(pid, signal)
    },

    signalWhenSeen,
    openTerminal: async wanted => terminals.open(wanted),
    readTerminal: id => terminals.read(id),
    writeTerminal: async (id, base64) => terminals.write(id, base64),
    resizeTerminal: (id, size) => terminals.resize(id, size),
    closeTerminal: async id => terminals.close(id),
    run: ([file = '', ...args]) => runTool(file, args),

    async read(path) {
      try {
        return readFileSync(path, 'utf8')
      } catch (error) {
        if (isGone(error)) return undefined
        throw error
      }
    },

    tail: async (path, bytes) => tail(path, bytes),

    async write(path, text) {
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, text)
    },

    async collect(folder) {
      const paths = readFiles(folder, layout, () => false).map(file => file.path)
      return paths.map(path => ({ path, base64: readFileSync(path).toString('base64') }))
    },
  }
}
