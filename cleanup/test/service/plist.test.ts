import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { expect, test } from 'vitest'
import { needs } from '../../../test/needs.ts'
import { LEAN_FLAGS } from '../../daemon/lean.ts'
import { launchdPlist } from '../../service/launchd-plist.ts'
import { managerOf } from '../../service/manager.ts'
import type { ServicePlan } from '../../service/plan.ts'
import { parsePlist } from '../support/plist.ts'

const plan = (changes: Partial<ServicePlan> = {}): ServicePlan => ({
  system: false,
  node: '/opt/node',
  program: '/opt/leakrig.ts',
  options: [],
  workspaces: ['/w'],
  environment: { PATH: '/bin', TMUX_TMPDIR: '/t' },
  canNotify: false,
  omitted: [],
  ...changes,
})

test('the property list has the expected values', () => {
  expect(parsePlist(launchdPlist(plan(), '/log'))).toEqual({
    Label: 'leakrig.daemon',
    ProgramArguments: ['/opt/node', ...LEAN_FLAGS, '/opt/leakrig.ts', 'daemon', '/w'],
    EnvironmentVariables: { PATH: '/bin', TMUX_TMPDIR: '/t' },
    WorkingDirectory: '/',
    RunAtLoad: true,
    KeepAlive: { SuccessfulExit: false },
    ThrottleInterval: 10,
    // Without it launchd would also kill a tmux server that the daemon started.
    AbandonProcessGroup: true,
    ProcessType: 'Background',
    StandardOutPath: '/log',
    StandardErrorPath: '/log',
  })
})

test.each([
  'a & b',
  '<string>',
  '"quoted"',
  "it's",
  ']]>',
  '&amp;',
  '--',
  'ü € 😀',
  ' a\tb\n ',
  '$HOME %n \\',
])('the path %j is parsed back unchanged', word => {
  const found = parsePlist(launchdPlist(plan({ workspaces: [word], program: `/${word}` }), word))
  expect(found).toMatchObject({
    ProgramArguments: ['/opt/node', ...LEAN_FLAGS, `/${word}`, 'daemon', word],
    StandardOutPath: word,
  })
})

test.each(['bell\x07', 'return\r', 'zero\0', 'half\ud800', '\uffff'])(
  '%j, which XML cannot contain, is refused',
  word => {
    expect(() => launchdPlist(plan({ workspaces: [word] }), '/log')).toThrow('a property list cannot contain')
  },
)

test.each([
  '<a>',
  '<plist version="1.0"><dict><key>a</key></dict></plist>',
  '<plist version="1.0"><string>a & b</string></plist>',
  '<plist version="1.0"><dict><key>a</key><true/><key>a</key><true/></dict></plist>',
])('the parser of these tests refuses %s', text => {
  expect(() => parsePlist(text)).toThrow()
})

test('it is in the folder that launchd reads, for the user and for the machine', () => {
  const place = { platform: 'darwin', hasSystemd: false, home: '/Users/me', uid: 501 } as const
  const user = managerOf(place, false)
  expect(user.file).toBe('/Users/me/Library/LaunchAgents/leakrig.daemon.plist')
  expect(user.startCommands).toEqual([['launchctl', 'bootstrap', 'gui/501', user.file]])
  expect(parsePlist(user.render(plan()))).toMatchObject({
    StandardOutPath: '/Users/me/Library/Logs/leakrig.log',
  })
  expect(managerOf(place, true).file).toBe('/Library/LaunchDaemons/leakrig.daemon.plist')
})

test('plutil accepts it', () => {
  needs('plutil, which macOS has', fs.existsSync('/usr/bin/plutil'))
  const input = launchdPlist(plan(), '/log')
  expect(spawnSync('/usr/bin/plutil', ['-lint', '-'], { input, encoding: 'utf8' }).status).toBe(0)
})
