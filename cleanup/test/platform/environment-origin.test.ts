import { describe, expect, test } from 'vitest'
import fc from '../../../test/fast-check.ts'
import { parseEnvironment } from '../../platform/processes/environment.ts'
import { originOf } from '../../platform/processes/environment-origin.ts'

const words = (text: string) => text.split(' ').join('\0')
/** A user's login on a desktop; a container; a machine of which nothing but PATH and HOME is known. */
const DESKTOP = words(
  'HOME=/home/me USER=me LOGNAME=me SHELL=/bin/bash PATH=/bin LANG=C EDITOR=vi NVM_DIR=/n TERM=xterm XDG_SESSION_ID=2 DISPLAY=:0 VTE_VERSION=1',
)
const CONTAINER = words('HOSTNAME=3a1f PATH=/bin HOME=/root NODE_VERSION=24 YARN_VERSION=1')
const BARE = words('PATH=/bin HOME=/root')
const BASES = { DESKTOP, CONTAINER, BARE }
/** What tmux and claude add to it for what an agent starts. */
const TMUX = 'TERM=screen TERM_PROGRAM=tmux TERM_PROGRAM_VERSION=3.3a'
const CLAUDE = 'CLAUDECODE=1 CLAUDE_CODE_SESSION_ID=s1 CLAUDE_PID=7 AI_AGENT=claude-code GIT_EDITOR=true'

const kind = (text: string, base: string) =>
  originOf(text, {
    panes: [parseEnvironment(`${base}\0${words(TMUX)}`)],
    server: [parseEnvironment(base)],
    others: [parseEnvironment('')],
  }).kind

describe('of an agent, in every place:', () => {
  test.each([
    ['nothing', '', 'emptied'],
    ['what a shell adds', 'PWD=/ OLDPWD=/ SHLVL=0 _=/bin/sleep', 'emptied'],
    ['only PATH', 'PATH=/bin', 'untold'],
    ['PATH, HOME, LANG', 'PATH=/bin HOME=/root LANG=C', 'untold'],
    ['the MCP SDK’s', 'HOME=/root LOGNAME=r PATH=/bin SHELL=/bin/bash TERM=screen USER=r', 'untold'],
    ['one variable of its own', 'PORT=3000', 'untold'],
    ['with a terminal’s type', 'PATH=/bin TERM=xterm-256color COLORTERM=truecolor', 'untold'],
    ['some of its own', 'NODE_ENV=production FOO=bar CI=1 GITHUB_TOKEN=x npm_lifecycle_event=dev', 'untold'],
    ['a display of its own', 'PATH=/bin DISPLAY=:99 XAUTHORITY=/tmp/x XDG_RUNTIME_DIR=/tmp/y', 'untold'],
    ['what Python adds', 'LC_CTYPE=C.UTF-8', 'untold'],
    ['sudo’s', 'PATH=/bin HOME=/root TERM=screen USER=root SUDO_USER=me SUDO_UID=1 SUDO_COMMAND=x', 'untold'],
    ['what claude sets', `PATH=/bin ${CLAUDE}`, 'claude'],
    ['what claude sets, without CLAUDECODE', 'PATH=/bin CLAUDE_CODE_ENTRYPOINT=cli', 'claude'],
  ])('%s', (_, text, expected) => {
    for (const [name, base] of Object.entries(BASES))
      expect([name, kind(words(text), base)]).toEqual([name, expected])
  })

  test('all but the marks of tmux and claude: tmux has left others', () => {
    for (const base of Object.values(BASES)) {
      expect(kind(`${base}\0${words(TMUX)}`, base)).toBe('pane')
      expect(kind(`${base}\0${words(`${TMUX} ${CLAUDE}`)}`, base)).toBe('claude')
    }
  })
})

test('all but the marks, where nothing of the agent was alive to show where it was started', () => {
  const known = { panes: [], server: [], others: [parseEnvironment(BARE)] }
  expect(originOf(`${DESKTOP}\0${words(CLAUDE)}`, known).kind).toBe('claude')
  expect(originOf(`${DESKTOP}\0${words('TERM_PROGRAM=tmux')}`, known).kind).toBe('pane')
  expect(originOf(DESKTOP, known).kind).toBe('elsewhere')
})

describe('of somebody else:', () => {
  test.each([
    ['another SSH login', 'HOME=/h PATH=/bin SSH_CONNECTION=1'],
    ['another desktop', 'HOME=/h PATH=/bin XDG_SESSION_ID=9'],
    ['a user’s manager', 'PATH=/bin XDG_RUNTIME_DIR=/run/user/1000'],
    ['a terminal', 'HOME=/h PATH=/bin TERM=xterm-256color WINDOWID=77'],
    ['another terminal, with a claude', `HOME=/h PATH=/bin TERM=xterm TERM_PROGRAM=vscode ${CLAUDE}`],
    ['the console', 'HOME=/h PATH=/bin TERM=linux'],
    ['a service', 'PATH=/bin INVOCATION_ID=1 JOURNAL_STREAM=8:1'],
    ['cron', 'HOME=/h LOGNAME=me PATH=/bin SHELL=/bin/sh'],
    ['cron, with what a crontab sets', 'HOME=/h LOGNAME=me PATH=/bin SHELL=/bin/bash MAILTO=me FOO=1'],
    ['cronie', 'HOME=/h LOGNAME=me USER=me PATH=/bin SHELL=/bin/sh FOO=1'],
    ['supervisord', 'PATH=/bin SUPERVISOR_ENABLED=1'],
  ])('%s', (_, text) => {
    for (const [name, base] of Object.entries(BASES))
      expect([name, kind(words(text), base)]).toEqual([name, 'elsewhere'])
  })

  test('a whole environment of the same place, also with the user’s own variables', () => {
    for (const base of [DESKTOP, CONTAINER])
      expect(kind(`${base}\0${words('PORT=3000 NODE_ENV=production npm_lifecycle_event=dev')}`, base)).toBe(
        'whole',
      )
  })

  test('a program that the container starts, although the agent’s server has more', () => {
    const server = parseEnvironment(`${CONTAINER}\0${words('A=1 B=2 C=3 D=4 E=5')}`)
    const known = { panes: [], server: [server], others: [parseEnvironment(CONTAINER)] }
    expect(originOf(`${CONTAINER}\0PORT=1`, known).kind).toBe('whole')
  })

  test('what the user’s own claude starts, which has started the orchestrator, too', () => {
    const base = `${DESKTOP}\0${words('CLAUDECODE=1 CLAUDE_CODE_SESSION_ID=users')}`
    expect(kind(`${base}\0CLAUDE_PID=5`, base)).toBe('elsewhere')
    expect(kind(`${base.replace('=users', '=agents')}\0CLAUDE_PID=5`, base)).toBe('claude')
  })
})

const name = fc.stringMatching(/^[A-Z][A-Z0-9_]{0,8}$/)
const variables = fc.dictionary(name, fc.stringMatching(/^[a-z0-9/]{0,6}$/), { maxKeys: 12 })
const textOf = (all: Record<string, string>) =>
  Object.entries(all)
    .map(([key, value]) => `${key}=${value}`)
    .join('\0')

test('a place tells of somebody else whatever stands beside it, unless the agent was started there', () => {
  fc.assert(
    fc.property(
      variables,
      variables,
      fc.constantFrom('SSH_TTY', 'INVOCATION_ID', 'WINDOWID'),
      (own, base, place) => {
        const text = textOf({ ...own, TERM: 'screen', [place]: 'there' })
        const others = textOf({ ...base, [place]: 'elsewhere' })
        expect(kind(text, others)).toBe('elsewhere')
        expect(kind(text, textOf({ ...base, [place]: 'there' }))).not.toBe('emptied')
      },
    ),
  )
})

test('an environment of a few own variables is never taken for a whole one', () => {
  fc.assert(
    fc.property(variables, own => {
      const made = Object.fromEntries(Object.entries(own).map(([key, value]) => [`OWN_${key}`, value]))
      fc.pre(Object.keys(made).length > 0)
      for (const base of Object.values(BASES)) expect(kind(textOf(made), base)).toBe('untold')
    }),
  )
})
