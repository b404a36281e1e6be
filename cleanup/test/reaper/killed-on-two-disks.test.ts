import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { needs } from '../../../test/needs.ts'
import { layout, readTaskRegistry } from '../../orchestrator.ts'
import { runCleaner } from '../support/cleaner-process.ts'
import { ENOUGH, forEachStep, STEPS } from '../support/each-step.ts'
import { canMount, MountNamespace } from '../support/mount-namespace.ts'
import { NO_TRACES, Rig, readText, traces } from '../support/rig.ts'

/* As killed-anywhere.test.ts, with the archive on a disk of its own: a file is then copied, and removed after that. */

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

for (const { which, by, options } of STEPS)
  test(
    `a cleaner that is killed before ${which} leaves the next one to finish its files`,
    options,
    async () => {
      needs('permission to mount', canMount)
      const archive = layout.archiveFolder(rig.ref('x'))
      using mounts = await MountNamespace.make(rig, `mount -t tmpfs archive ${archive}`)
      const whole = await rig.deploy('far-0', { claude: 'echo ready' })
      const list = path.join(rig.folder, 'steps')
      await runCleaner(rig, whole, ENOUGH, ['env', `LEAKRIG_STEPS=${list}`, ...mounts.nsenter])
      const first =
        readText(list)
          .split('\n')
          .findIndex(line => line.includes(' linkSync ')) + 1
      expect(readText(list)).toContain(' futimesSync ')
      await forEachStep({ first, by }, async step => {
        // The agent has ended by itself: this test is about the files.
        const ref = await rig.deploy(`far-${step}`, { claude: 'echo ready' })
        const { signal } = await runCleaner(rig, ref, step, mounts.nsenter)
        if (signal === 'SIGKILL')
          expect((await runCleaner(rig, ref, 0, mounts.nsenter)).report?.outcome).toMatch(
            /^(already-)?clean$/,
          )
        expect(traces(rig, ref)).toEqual({ ...NO_TRACES, archived: 0 })
        const there = fs
          .readdirSync(mounts.outsidePath(archive))
          .filter(name => name.includes(`${ref.agentId}_`))
        for (const name of there)
          expect(readText(path.join(mounts.outsidePath(archive), name))).toMatch(/^(ready|\{"file".*\})\n$/)
        return signal === 'SIGKILL'
      })
      // No name was used twice, and no half copy is left.
      const names = fs.readdirSync(mounts.outsidePath(archive))
      expect(names.filter(name => /\.(\d+\.jsonl?|part)$/.test(name))).toEqual([])
      const { agents } = readTaskRegistry(rig.workspace, rig.ref('x').taskId)
      expect(names.length).toBeGreaterThanOrEqual(4 * agents.length)
    },
  )
