import { Command, Option } from 'commander'
import { refuse } from './refuse.ts'

export interface Flags {
  prompt: string | undefined
  print: boolean
  background: boolean
  version: boolean
  verbose: boolean
  outputFormat: 'text' | 'json' | 'stream-json'
  inputFormat: 'text' | 'stream-json'
  dangerouslySkipPermissions: boolean
  permissionMode: string | undefined
  model: string
  mcpConfig: string[]
  strictMcpConfig: boolean
  sessionId: string | undefined
  resume: string | boolean | undefined
  continue: boolean
  settings: string | undefined
}

const permissionModes = ['acceptEdits', 'auto', 'bypassPermissions', 'default', 'dontAsk', 'manual', 'plan']
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** What `claude --help` of 2.1.332 lists besides, and a few that it hides. */
const withoutEffect = [
  '--add-dir <directories...>',
  '--agent <agent>',
  '--agents <json-or-file>',
  '--allow-dangerously-skip-permissions',
  '--append-system-prompt <prompt>',
  '--append-system-prompt-file <path>',
  '--autocompact <auto|tokens>',
  '--ax-screen-reader',
  '--bare',
  '--betas <betas...>',
  '--brief',
  '--chrome',
  '--cloud [value]',
  '-d, --debug [filter]',
  '--debug-file <path>',
  '--desktop',
  '--disable-slash-commands',
  '--effort <level>',
  '--environment <id>',
  '--exclude-dynamic-system-prompt-sections',
  '--fallback-model <model>',
  '--file <specs...>',
  '--fork-session',
  '--forward-subagent-text',
  '--from-pr [value]',
  '--ide',
  '--include-hook-events',
  '--json-schema <schema>',
  '--max-budget-usd <amount>',
  '--max-turns <turns>',
  '-n, --name <name>',
  '--no-chrome',
  '--no-session-persistence',
  '--permission-prompt-tool <tool>',
  '--permission-prompts <target>',
  '--plugin-dir <path>',
  '--plugin-url <url>',
  '--prompt-suggestions [value]',
  '--remote-control [name]',
  '--remote-control-session-name-prefix <prefix>',
  '--replay-user-messages',
  '--restricted',
  '--safe-mode',
  '--setting-sources <sources>',
  '--system-prompt <prompt>',
  '--system-prompt-file <path>',
  '--system-prompt-snapshot <on|off>',
  '--teleport [session]',
  '--tmux [kind]',
  '--tools <tools...>',
  '-w, --worktree [name]',
]

// The real CLI uses commander too. Orchestrators can observe its messages for unknown options, and that an option with
// several values swallows the prompt after it.
export function readFlags(argv: string[]): Flags {
  const program = new Command('claude')
    .description('fake-claude: a stand-in for the claude CLI (see docs/claude.md#the-fake)')
    .argument('[prompt]')
    .allowExcessArguments()
    .option('-v, --version', 'print the version', false)
    .option('-p, --print', 'print the answer and leave', false)
    .option('--bg, --background', 'run in the background service', false)
    .option('--verbose', 'all events, not only the result', false)
    .addOption(format('--output-format <format>', ['text', 'json', 'stream-json']))
    .addOption(format('--input-format <format>', ['text', 'stream-json']))
    .option('--include-partial-messages', 'accepted; nothing partial is printed')
    .option('--dangerously-skip-permissions', 'refused as root', false)
    .addOption(new Option('--permission-mode <mode>').choices(permissionModes))
    .option('--model <model>', 'named in the events', 'claude-opus-4-5')
    .option('--mcp-config <configs...>', 'files or JSON texts', collect, [])
    .option('--strict-mcp-config', 'ignore .mcp.json', false)
    .option('--session-id <uuid>', 'the session id to use')
    .option('-r, --resume [session]', 'go on with a session')
    .option('-c, --continue', 'go on with the latest session of this folder', false)
    .option('--allowedTools, --allowed-tools <tools...>', 'accepted')
    .option('--disallowedTools, --disallowed-tools <tools...>', 'accepted')
    .option('--settings <file-or-json>', 'its hooks are run; the rest is accepted')
  for (const flag of withoutEffect) program.option(flag, 'accepted')
  program.parse(argv, { from: 'user' })

  const flags = { ...program.opts(), prompt: program.args[0] } as Flags
  if (!flags.version) check(flags)
  return flags
}

/** Without --print, on a terminal. */
export const isInteractive = ({ print }: Flags): boolean =>
  !print && Boolean(process.stdin.isTTY && process.stdout.isTTY)

function format(flag: string, choices: string[]): Option {
  return new Option(flag).choices(choices).default('text')
}

function collect(value: string, before: string[]): string[] {
  return [...before, value]
}

function check(flags: Flags): void {
  if (!flags.print && !flags.background && process.stdout.isTTY && !process.stdin.isTTY)
    refuse('claude (fake): the interactive program needs a terminal on stdin, too. Add -p.')
  if (flags.outputFormat === 'stream-json' && !flags.verbose)
    refuse('Error: with --print, --output-format=stream-json needs --verbose')
  if (flags.inputFormat === 'stream-json' && flags.outputFormat !== 'stream-json')
    refuse('Error: --input-format=stream-json needs --output-format=stream-json')
  if (flags.sessionId !== undefined && !uuid.test(flags.sessionId))
    refuse(`Error: --session-id must be a UUID, not '${flags.sessionId}'`)
  if (flags.dangerouslySkipPermissions && process.getuid?.() === 0 && process.env.IS_SANDBOX !== '1')
    refuse(
      '--dangerously-skip-permissions is refused for root, unless IS_SANDBOX=1 says that this is a sandbox',
    )
}
