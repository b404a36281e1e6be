import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { dir as temporaryFolder } from 'tmp-promise'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { needs } from '../../../test/needs.ts'
import { installService, uninstallService } from '../../service/install.ts'
import { type Host, type Manager, managerOf } from '../../service/manager.ts'
import type { ServicePlan } from '../../service/plan.ts'
import { runCommand } from '../support/run-command.ts'

let folder: string
let host: Host
let manager: Manager
let remove: () => Promise<void>
beforeEach(async () => {
  const made = await temporaryFolder({ prefix: 'lr-', unsafeCleanup: true })
  folder = fs.realpathSync(made.path)
  remove = made.cleanup
  host = { platform: 'linux', hasSystemd: true, home: folder, uid: 1000 }
  manager = managerOf(host, false)
})
afterEach(() => remove())

const plan = (workspace = '/w'): ServicePlan => ({
  system: false,
  node: process.execPath,
  program: '/opt/leakrig.ts',
  options: [],
  workspaces: [workspace],
  environment: { PATH: '/bin' },
  canNotify: true,
  omitted: [],
})
const install = (one: ServicePlan, options = {}) =>
  installService(one, host, manager, { force: false, now: false, ...options })
const uninstall = () => uninstallService(host, manager, false, false)

describe('install', () => {
  test('writes the unit, and prints what it wrote and the next commands', async () => {
    const result = await install(plan())
    expect(manager.file).toBe(`${folder}/.config/systemd/user/leakrig.service`)
    expect(fs.readFileSync(manager.file, 'utf8')).toBe(manager.render(plan()))
    expect(result).toEqual({
      problems: [],
      lines: [
        `Wrote ${manager.file}.`,
        'Next:',
        '  systemctl --user daemon-reload',
        '  systemctl --user enable leakrig.service',
        '  systemctl --user restart leakrig.service',
        expect.stringContaining('loginctl enable-linger'),
      ],
    })
    expect(fs.readdirSync(path.dirname(manager.file))).toEqual(['leakrig.service'])
  })

  test('writes the same unit only once, shows the changes of another one, and needs --force to write it', async () => {
    await install(plan())
    const before = fs.statSync(manager.file).mtimeMs
    expect((await install(plan())).lines[0]).toContain('is already installed and up to date')
    const result = await install(plan('/other'))
    expect(result.problems).toEqual([expect.stringContaining('use --force to replace it')])
    expect(result.lines).toEqual([
      expect.stringMatching(/^- ExecStart=.* "\/w"$/),
      expect.stringMatching(/^\+ ExecStart=.* "\/other"$/),
    ])
    expect(fs.statSync(manager.file).mtimeMs).toBe(before)
    expect((await install(plan('/other'), { force: true })).lines[0]).toBe(`Replaced ${manager.file}.`)
    expect(fs.readFileSync(manager.file, 'utf8')).toBe(manager.render(plan('/other')))
  })

  test.each<[string, (file: string) => void]>([
    [
      'a file without leakrig’s header line',
      file => fs.writeFileSync(file, '[Service]\nExecStart=/bin/true\n'),
    ],
    ['a symbolic link', file => fs.symlinkSync('/dev/null', file)],
    ['not a file', file => fs.mkdirSync(file)],
  ])('leaves %s alone, also with --force, and so does uninstall', async (what, put) => {
    fs.mkdirSync(path.dirname(manager.file), { recursive: true })
    put(manager.file)
    const stamp = () => {
      const { ino, mtimeNs, ctimeNs } = fs.lstatSync(manager.file, { bigint: true })
      return [ino, mtimeNs, ctimeNs]
    }
    const before = stamp()
    for (const result of [await install(plan(), { force: true }), await uninstall()]) {
      expect(result.lines).toEqual([])
      expect(result.problems).toEqual([expect.stringContaining(what)])
    }
    expect(stamp()).toEqual(before)
  })

  test('only root writes a system unit', async () => {
    const system = managerOf(host, true)
    expect(system.file).toBe('/etc/systemd/system/leakrig.service')
    await expect(
      installService({ ...plan(), system: true }, host, system, { force: false, now: false }),
    ).rejects.toThrow('Only root may write')
  })

  test('writes the unit into XDG_CONFIG_HOME, unless that is relative', () => {
    expect(managerOf({ ...host, configHome: '/c' }, false).file).toBe('/c/systemd/user/leakrig.service')
    expect(managerOf({ ...host, configHome: 'c' }, false).file).toBe(manager.file)
  })
})

describe('uninstall', () => {
  test('removes only the file', async () => {
    await install(plan())
    fs.writeFileSync(path.join(path.dirname(manager.file), 'other.service'), '')
    const result = await uninstall()
    expect(result).toEqual({
      problems: [],
      lines: [`Removed ${manager.file}.`, 'Next:', '  systemctl --user daemon-reload'],
    })
    expect(fs.readdirSync(path.dirname(manager.file))).toEqual(['other.service'])
    expect((await uninstall()).lines).toEqual([`${manager.file} does not exist; nothing was removed.`])
  })

  test('of a launchd service prints how to stop the loaded service', async () => {
    const mac: Host = { ...host, platform: 'darwin', hasSystemd: false, uid: 501 }
    const launchd = managerOf(mac, false)
    await installService(plan(), mac, launchd, { force: false, now: false })
    const result = await uninstallService(mac, launchd, false, false)
    expect(result.lines).toEqual([
      `Removed ${launchd.file}.`,
      'Next:',
      '  launchctl bootout gui/501/leakrig.daemon',
    ])
  })

  test('refuses while the service is enabled', async () => {
    needs('systemctl', fs.existsSync('/usr/bin/systemctl'))
    // The real systemctl makes the links, in a root folder of the test's own.
    const root = path.join(folder, 'root')
    const file = `${root}/etc/systemd/system/leakrig.service`
    fs.mkdirSync(path.dirname(file), { recursive: true })
    const ours = { ...managerOf(host, true), file }
    fs.writeFileSync(file, ours.render({ ...plan(), system: true }))
    const systemctl = (verb: string) => spawnSync('systemctl', [`--root=${root}`, verb, 'leakrig.service'])
    expect(systemctl('enable').status).toBe(0)
    const asRoot = { ...host, uid: 0 }
    const result = await uninstallService(asRoot, ours, true, false)
    expect(result.problems).toEqual([
      expect.stringMatching(/still enabled by .*multi-user\.target\.wants.*: run "systemctl disable --now/),
    ])
    expect(fs.existsSync(file)).toBe(true)
    expect(systemctl('disable').status).toBe(0)
    expect((await uninstallService(asRoot, ours, true, false)).problems).toEqual([])
    expect(fs.existsSync(file)).toBe(false)
  })
})

describe('where there is no manager', () => {
  test('the command refuses in one sentence, and writes nothing', async () => {
    needs('machine without systemd', !fs.existsSync('/run/systemd/system'))
    const { code, out, err } = await runCommand('service', 'install', folder)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(/^leakrig: systemd does not run here .*; run "npm run leakrig -- daemon" .*\n$/)
    const status = await runCommand('service', 'status', folder)
    expect(status).toMatchObject({
      code: 1,
      err: '',
      out: expect.stringContaining('systemd does not run here'),
    })
  })

  test('another platform is refused', () => {
    expect(() => managerOf({ ...host, platform: 'freebsd' }, false)).toThrow(
      'freebsd has neither systemd nor launchd',
    )
  })
})

test('--print shows the unit, writes nothing, and needs no manager', async () => {
  const { code, out, err } = await runCommand('service', 'install', '--print', folder)
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(out).toContain(`"daemon" "${folder}"`)
  expect(out.split('\n')[0]).toBe(
    '# Written by "leakrig service install"; "leakrig service uninstall" removes it.',
  )
})

test('the unit passes the daemon’s options, and a wrong one is refused before anything is written', async () => {
  const given = '--silent-after 1m --end-idle --keep-days 3.5 --min-free 5%'.split(' ')
  const { out } = await runCommand('service', 'install', '--print', ...given, folder)
  // A "%" is doubled for systemd.
  const words = given.map(word => `"${word.replace('%', '%%')}"`).join(' ')
  expect(out).toContain(`"daemon" ${words} "${folder}"`)
  const wrong = await runCommand('service', 'install', '--print', '--keep-days', 'soon', folder)
  expect(wrong).toMatchObject({
    code: 2,
    out: '',
    err: expect.stringContaining('keep-days "soon" is refused'),
  })
})

test('the unit passes the daemon’s metrics options', async () => {
  const file = path.join(folder, 'leakrig.prom')
  const args = ['--metrics-port', '9410', '--metrics-file', file]
  const { out } = await runCommand('service', 'install', '--print', ...args, folder)
  expect(out).toContain(`"daemon" "--metrics-port" "9410" "--metrics-file" "${file}" "${folder}"`)
  for (const wrong of [
    ['--metrics-port', '0'],
    ['--metrics-file', '/tmp/leakrig.txt'],
  ])
    expect(await runCommand('service', 'install', '--print', ...wrong, folder)).toMatchObject({
      code: 2,
      out: '',
    })
})

test.each([
  ['service', 'install', '/no/such/workspace'],
  ['service', 'install', '--what'],
  ['service', 'what'],
])('wrong usage: %s %s %s', async (...args) => {
  const { code, out, err } = await runCommand(...args.filter(Boolean))
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err.trim()).not.toBe('')
})
