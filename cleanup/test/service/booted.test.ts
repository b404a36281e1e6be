import { execFile } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { dir as temporaryFolder } from 'tmp-promise'
import { describe, expect, test } from 'vitest'
import { needsNamespaces } from '../../../test/namespaces.ts'
import { needs } from '../../../test/needs.ts'
import { BootedSystemd, canBoot } from '../support/booted-systemd.ts'
import { parsePrometheus } from '../support/prometheus.ts'
import { NO_TRACES } from '../support/rig.ts'

const PROGRAM = path.join(import.meta.dirname, '../support', 'service-lifecycle.ts')

// A unit can pass systemd's checks and still keep the daemon from its work, so here it runs under a real systemd beside a real agent.
describe('under a systemd of our own', () => {
  needs('right to boot a systemd of our own (root, systemd, cgroups)', canBoot)
  needsNamespaces()

  test.concurrent.each(['system', 'user'] as const)(
    'the %s service is installed, cleans up, restarts after a kill, spares guests in its cgroup, and is removed',
    async manager => {
      const { path: made, cleanup } = await temporaryFolder({ prefix: 'lr-', unsafeCleanup: true })
      const folder = fs.realpathSync(made)
      try {
        await using booted = await BootedSystemd.boot(folder)
        const home = path.join(folder, 'home')
        if (manager === 'user')
          expect(booted.run('systemctl', 'start', 'user-manager.service')).toEqual({ code: 0, out: '' })
        const [command = '', ...args] = booted.commandInside(process.execPath, PROGRAM, manager)
        const env = { ...process.env, HOME: home, XDG_RUNTIME_DIR: '/run/user/0' }
        const { stdout, stderr } = await promisify(execFile)(command, args, { env })
        expect(stderr).toBe('')
        const seen = JSON.parse(stdout)
        const file =
          manager === 'user'
            ? `${home}/.config/systemd/user/leakrig.service`
            : '/etc/systemd/system/leakrig.service'
        expect(seen.install).toMatchObject({
          code: 0,
          err: '',
          out: expect.stringContaining(`Wrote ${file}.`),
        })
        expect(seen).toMatchObject({ active: 'active', type: 'notify', text: '0 pending', isWatched: true })
        expect(seen.again).toMatchObject({
          code: 0,
          out: expect.stringContaining('is already installed and up to date'),
        })
        expect(seen.status).toMatchObject({
          code: 0,
          out: expect.stringMatching(/installed, with other options.*\n.*enabled\n.*active\n.*0 pending, ok/),
        })
        expect(parsePrometheus(seen.metrics).get('leakrig_tmux_sessions')?.type).toBe('gauge')
        expect(seen).toMatchObject({ traces: NO_TRACES, ownRuns: false, restarted: true })
        expect(seen.early).toMatchObject({ code: 1, err: expect.stringContaining('still enabled by') })
        expect(seen).toMatchObject({ guestIsIn: true, guestRuns: true, inactive: 'inactive' })
        expect(seen.uninstall).toMatchObject({
          code: 0,
          err: '',
          out: expect.stringContaining(`Removed ${file}.`),
        })
        expect(seen.after).toMatchObject({ code: 1, out: expect.stringContaining('not installed') })
        expect(seen.registry.toSorted()).toEqual(['GLOBAL_REGISTRY.json', 'GLOBAL_REGISTRY.json.lock'])
      } finally {
        await cleanup()
      }
    },
    300_000,
  )
})
