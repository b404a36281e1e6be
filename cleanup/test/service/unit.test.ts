import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { dir as temporaryFolder } from 'tmp-promise'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { needs } from '../../../test/needs.ts'
import { LEAN_FLAGS, LEAN_MALLOC } from '../../daemon/lean.ts'
import { commandOf, planService, type ServicePlan } from '../../service/plan.ts'
import { quoteCommand, quoteSetting } from '../../service/systemd-quoting.ts'
import { systemdUnit } from '../../service/systemd-unit.ts'
import { hasSystemdAnalyze, parsedCommand, unitSettings, verifyUnit } from '../support/systemd.ts'

let folder: string
let remove: () => Promise<void>
beforeEach(async () => {
  const made = await temporaryFolder({ prefix: 'lr-', unsafeCleanup: true })
  folder = fs.realpathSync(made.path)
  remove = made.cleanup
})
afterEach(() => remove())

const plan = (changes: Partial<ServicePlan> = {}): ServicePlan => ({
  system: false,
  node: process.execPath,
  program: '/opt/leakrig/leakrig.ts',
  options: [],
  workspaces: ['/home/me/.agent-workspace'],
  environment: { PATH: '/usr/bin:/bin', TMUX_TMPDIR: '/home/me/tmux' },
  canNotify: true,
  omitted: [],
  ...changes,
})

const HOSTILE = [
  'a b',
  "it's",
  '"quoted"',
  '100%',
  '%n %% %h',
  '$HOME',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: systemd would replace it.
  '${HOME} $$',
  'back\\slash \\n \\',
  'new\nline',
  'tab\tand\x01bell\x07',
  'ü € 😀',
  ';',
  '#x',
  '\u0085',
]

describe('systemd itself', () => {
  needs('systemd-analyze', hasSystemdAnalyze)

  const variants: [string, ServicePlan][] = [
    ['the user’s', plan()],
    ['the user’s, without systemd-notify', plan({ canNotify: false })],
    ['the machine’s', plan({ system: true })],
    ['the machine’s, for a user', plan({ system: true, owner: { uid: 1000 } })],
    ['one without an environment', plan({ environment: {} })],
    ['one for two workspaces', plan({ workspaces: ['/a b', '/c%d'] })],
    ['a workspace below /etc', plan({ system: true, workspaces: ['/etc/x'] })],
  ]
  test.each(variants)('accepts the unit: %s', (_, one) => {
    expect(verifyUnit(folder, systemdUnit(one), one.system ? 'system' : 'user')).toEqual({
      code: 0,
      output: '',
    })
  })

  test.each([
    ['Type=notify', 'Typ=notify'],
    ['MemoryMax=512M', 'MemoryMax=lots'],
    ['KillMode=process', 'KillMode=some'],
    [/ExecStart=.*/, 'ExecStart=/no/such/program'],
  ])('refuses a wrong unit: %s', (right, wrong) => {
    const unit = systemdUnit(plan()).replace(right, wrong)
    expect(verifyUnit(folder, unit, 'user').output).not.toBe('')
  })

  test.each(HOSTILE)('reads the word %j literally', word => {
    const one = plan({ program: `/opt/${word}/leakrig.ts`, workspaces: [`/w/${word}`, word] })
    expect(parsedCommand(folder, systemdUnit(one))).toEqual(commandOf(one))
    expect(
      verifyUnit(folder, systemdUnit(plan({ system: true, workspaces: [`/w/${word}`] })), 'system').code,
    ).toBe(0)
  })

  test.each(HOSTILE)('runs a Node in the folder %j with its arguments', word => {
    const node = path.join(folder, word, 'node')
    fs.mkdirSync(path.dirname(node))
    fs.writeFileSync(node, '#!/bin/sh\nfor word in "$0" "$@"; do printf "%s\\0" "$word"; done\n', {
      mode: 0o755,
    })
    const unit = systemdUnit(plan({ node, workspaces: HOSTILE }))
    expect(verifyUnit(folder, unit, 'user')).toEqual({ code: 0, output: '' })
    // Run as systemd would run it.
    const [program = '', ...args] = parsedCommand(folder, unit)
    const words = execFileSync(program, args, { encoding: 'utf8' }).split('\0').slice(0, -1)
    expect(words).toEqual([node, ...LEAN_FLAGS, '/opt/leakrig/leakrig.ts', 'daemon', ...HOSTILE])
  })

  test('reads the environment literally', () => {
    const unit = systemdUnit(
      plan({ environment: { PATH: HOSTILE.filter(word => !/\p{Cc}/u.test(word)).join(':') } }),
    )
    const { output } = verifyUnit(folder, unit, 'system', 'debug')
    const shown = output.split('\n').find(line => line.includes('\tEnvironment: PATH='))
    expect(shown?.slice(shown.indexOf('PATH='))).toBe(
      `PATH=${HOSTILE.filter(word => !/\p{Cc}/u.test(word)).join(':')}`,
    )
  })
})

test('a zero byte is refused, because no argument can contain it', () => {
  expect(() => quoteSetting('a\0b')).toThrow('is refused')
  expect(() => quoteCommand('/a', ['b\0'])).toThrow('is refused')
})

describe('the unit has no option that would keep the daemon from its work', () => {
  // They hide processes, /tmp, environments or terminals, make workspaces read-only, or forbid what Node needs.
  const never = [
    ...[
      'PrivateTmp',
      'ProtectProc',
      'ProcSubset',
      'PrivateUsers',
      'PrivatePIDs',
      'PrivateDevices',
      'ProtectHome',
    ],
    ...['PrivateNetwork', 'IPAddressDeny', 'MemoryDenyWriteExecute', 'ProtectControlGroups', 'RootDirectory'],
    ...[
      'DynamicUser',
      'TemporaryFileSystem',
      'InaccessiblePaths',
      'ReadOnlyPaths',
      'SystemCallFilter',
      'PrivateMounts',
    ],
  ]
  // Each of these makes a mount namespace, for which a user's manager also makes a user namespace.
  const inUserNamespace = [
    'ProtectSystem',
    'ProtectKernelTunables',
    'ProtectKernelModules',
    'ProtectKernelLogs',
    'ProtectClock',
    'ProtectHostname',
    'CapabilityBoundingSet',
  ]

  test.each([false, true])('system: %s', system => {
    const found = unitSettings(systemdUnit(plan({ system })))
    expect([...found.keys()].filter(name => never.includes(name))).toEqual([])
    expect([...found.keys()].filter(name => inUserNamespace.includes(name)).length > 0).toBe(system)
    expect(found.get('ProtectSystem')).toEqual(system ? ['full'] : undefined)
    expect(found.get('KillMode')).toEqual(['process'])
    expect(found.get('NoNewPrivileges')).toEqual(['yes'])
    expect(found.get('Restart')).toEqual(['on-failure'])
    expect(found.get('UnsetEnvironment')?.[0]?.split(' ')).toContain('LEAKRIG_AGENT')
  })

  test('ProtectSystem is left out for a workspace that it would make read-only', () => {
    for (const workspace of ['/usr/local/w', '/etc/w', '/boot/w'])
      expect(
        unitSettings(systemdUnit(plan({ system: true, workspaces: ['/srv/w', workspace] }))).has(
          'ProtectSystem',
        ),
      ).toBe(false)
    expect(
      unitSettings(systemdUnit(plan({ system: true, workspaces: ['/usrlocal'] }))).has('ProtectSystem'),
    ).toBe(true)
  })

  test('without systemd-notify the unit waits for no report, and has no watchdog', () => {
    const found = unitSettings(systemdUnit(plan({ canNotify: false })))
    expect(found.get('Type')).toEqual(['exec'])
    expect(found.has('WatchdogSec')).toBe(false)
  })
})

describe('the plan', () => {
  const installer = (environment: NodeJS.ProcessEnv = {}) => ({
    node: process.execPath,
    program: import.meta.filename,
    environment,
  })

  test('has absolute paths, each workspace once, and from our environment only PATH and TMUX_TMPDIR', () => {
    const relative = path.relative(process.cwd(), folder)
    const made = planService(
      [relative, folder],
      false,
      installer({ PATH: '/bin', TMUX_TMPDIR: '/t', TMUX: 'x', SECRET: 'y' }),
    )
    expect(made).toMatchObject({ workspaces: [folder], program: import.meta.filename })
    expect(made.environment).toEqual({ ...LEAN_MALLOC, PATH: '/bin', TMUX_TMPDIR: '/t' })
    expect(made.canNotify).toBe(fs.existsSync('/bin/systemd-notify'))
    expect(planService([folder], false, installer({ PATH: folder })).canNotify).toBe(false)
  })

  test('keeps only folders of the PATH into which nobody else can put a program, each once', () => {
    const mode = (name: string, bits: number): string => {
      const made = path.join(folder, name)
      fs.mkdirSync(made, { recursive: true })
      fs.chmodSync(made, bits)
      return made
    }
    const plant = (at: string): string => {
      fs.writeFileSync(path.join(at, 'tmux'), '#!/bin/sh\n', { mode: 0o755 })
      return at
    }
    fs.mkdirSync(path.join(folder, 'registry'))
    const own = plant(mode('own', 0o755))
    const npms = plant(mode('node_modules/.bin', 0o755))
    const writable = plant(mode('writable', 0o777))
    const sticky = plant(mode('sticky', 0o1777))
    const linked = path.join(folder, 'linked')
    fs.symlinkSync(own, linked)
    fs.symlinkSync(own, path.join(writable, 'link'))
    const throughOthers = path.join(writable, 'link')
    const made = (...folders: string[]) =>
      planService([folder], false, installer({ PATH: folders.join(':') }))
    const { environment, omitted } = made(
      ...[
        npms,
        'nowhere',
        '.',
        '',
        writable,
        sticky,
        throughOthers,
        own,
        `${own}/`,
        linked,
        '/nowhere',
        '/bin',
        own,
      ],
    )
    expect(environment.PATH).toBe([own, linked, '/bin'].join(':'))
    expect(omitted).toEqual([
      '. is left out of the service’s PATH: it is not an absolute path.',
      ...[writable, sticky, throughOthers].map(one =>
        expect.stringMatching(
          new RegExp(
            `^${one} is left out of the service’s PATH: other users may write to its folder .*; remove that permission`,
          ),
        ),
      ),
    ])
    const lost = (at: string, why: string) =>
      `no tmux: it is only in ${at}, from which a service must not run programs, because ${why}`
    expect(() => made(npms, '/nowhere')).toThrow(lost(npms, 'npm adds it'))
    expect(() => made(sticky)).toThrow(lost(sticky, 'other users may write'))
    expect(made('/nowhere').environment).not.toHaveProperty('PATH')
  })

  test('keeps no folder of another user', () => {
    needs('root rights', process.getuid?.() === 0)
    const theirs = path.join(folder, 'theirs')
    fs.mkdirSync(path.join(folder, 'registry'))
    for (const name of ['bin', 'registry']) fs.mkdirSync(path.join(theirs, name), { recursive: true })
    fs.chownSync(theirs, 12_345, 12_345)
    const all = { PATH: `${theirs}/bin:/bin` }
    expect(planService([folder], true, installer(all)).environment.PATH).toBe('/bin')
    // A service of that user may run programs from there.
    expect(planService([theirs], true, installer(all)).environment.PATH).toBe(all.PATH)
  })

  test('of a system service runs as the owner of the workspaces, and refuses several owners', () => {
    needs('root rights', process.getuid?.() === 0)
    const [mine, theirs] = [path.join(folder, 'mine'), path.join(folder, 'theirs')]
    for (const made of [mine, theirs]) fs.mkdirSync(made)
    fs.chownSync(theirs, 12_345, 12_345)
    expect(planService([mine], true, installer())).not.toHaveProperty('owner')
    expect(planService([theirs], true, installer()).owner).toEqual({ uid: 12_345 })
    expect(() => planService([mine, theirs], true, installer())).toThrow('belong to several users')
    expect(planService([mine, theirs], false, installer())).not.toHaveProperty('owner')
  })

  test('refuses a workspace that does not exist', () => {
    expect(() => planService([`${folder}/nowhere`], false, installer())).toThrow('does not exist')
  })
})
