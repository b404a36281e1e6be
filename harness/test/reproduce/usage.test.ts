import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'

const program = join(import.meta.dirname, '../../../bin/leakrig.ts')

const leakrig = (...words: string[]) => execa(process.execPath, [program, ...words], { reject: false })

test('the help of both commands', async () => {
  const [reproduce, shell] = await Promise.all([leakrig('reproduce', '--help'), leakrig('shell', '--help')])
  expect(reproduce.stdout).toMatchInlineSnapshot(`
    "Usage: leakrig reproduce [options] [name]

    make a leak on purpose in a sandbox, look at it there, and clean it up

    Arguments:
      name                a leak shape, a scenario, a cell of the catalogue, or
                          report; without it, lists the names

    Options:
      --ending <ending>   how an agent with a shape ends (choices: "completes",
                          "reported", "killed", "crashed")
      --system <name>     the system that deploys it: one of the configuration, or
                          one of ours (none, immediate, daemon, hybrid,
                          report-option-1, report-option-2); default: that of the
                          configuration, or none, which leaks
      --config <file>     which systems there are (default: the leakrig.config.ts,
                          .mts, .js, .mjs or .json of the current folder)
      --sandbox <kind>    where it runs (choices: "auto", "container", "namespace",
                          default: "auto")
      --mount <path>      a folder or file that the sandbox shows under its own
                          path, read-only; may be given more than once
      --image <name>      the image of a container, in place of the rig's own
      --engine <address>  the container engine, as unix:///path or tcp://name:port;
                          only one
      --then <command>    run this in the sandbox (bash), and end with its exit code
      --verbose           print every count, and each finding with its mechanism and
                          its command
      --list              list what can be reproduced, and reproduce nothing
      -h, --help          display help for command

    Exit codes: 0 it was shown, whatever is left; 2 wrong usage; 3 it could not be made; with --then that of the command; 130, 143, 129 and 141 after Ctrl-C, TERM, a closed terminal and a reader that closed the output. Nothing of the sandbox outlives the command."
  `)
  expect(shell.stdout).toMatchInlineSnapshot(`
    "Usage: leakrig shell [options] [name]

    open a shell in the sandbox of a reproduction that runs in another terminal

    Arguments:
      name                     its name or its pid, where several run

    Options:
      -c, --command <command>  run this there (bash), and end with its exit code
      -h, --help               display help for command"
  `)
})

test('wrong usage', async () => {
  const tried = [
    ['reproduce', 'stoped'],
    ['reproduce', 'stopped', 'own-session'],
    ['reproduce', 'stopped', '--engine', 'unix:///a', '--engine', 'unix:///b'],
    ['reproduce', 'stopped', '--ending', 'dies'],
    ['shell', 'one', 'another'],
  ]
  const said = tried.map(async words => {
    const { stdout, stderr, exitCode } = await leakrig(...words)
    return `$ leakrig ${words.join(' ')}\n${stdout}${stderr}\ncode ${exitCode}`
  })
  expect((await Promise.all(said)).join('\n')).toMatchInlineSnapshot(`
    "$ leakrig reproduce stoped
    leakrig: Nothing is called "stoped". Did you mean stopped? "npm run leakrig -- reproduce --list" lists what can be reproduced.
    code 2
    $ leakrig reproduce stopped own-session
    leakrig: too many arguments for 'reproduce'. Expected 1 argument but got 2: stopped, own-session.
    code 2
    $ leakrig reproduce stopped --engine unix:///a --engine unix:///b
    leakrig: --engine "unix:///b" is refused: expected it only once.
    code 2
    $ leakrig reproduce stopped --ending dies
    leakrig: --ending "dies" is refused: expected one of completes, reported, killed, crashed.
    code 2
    $ leakrig shell one another
    leakrig: too many arguments for 'shell'. Expected 1 argument but got 2: one, another.
    code 2"
  `)
})
