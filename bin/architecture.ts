/** One top folder: its rows, and what its files may import from outside. */
export interface Area {
  folder: string
  /**
   * Lowest layer first. A row may import only from rows listed before it. A row names files and folders of the area, and
   * `*` for every other file directly in it. Units of one row do not import each other; a unit imports itself.
   */
  rows: string[][]
  /** Tests and benchmarks: they may import everything in their area. */
  tests?: string[]
  /** What files may import from other areas, by a prefix of their path in this area; the longest one decides. */
  outside?: Record<string, string[]>
}

/** The import directions of the whole project; `npm run check:imports` holds every file to them. */
export const architecture: Area[] = [
  {
    folder: 'test',
    rows: [
      ['needs.ts', 'skip-summary.ts', 'guard.ts'], // skips with their reasons; what ends the processes of a test that was killed
      ['namespaces.ts'], // whether this machine can start a namespace sandbox
      ['*'], // setup files of Vitest
    ],
  },
  {
    folder: 'bin',
    rows: [
      ['content.ts', 'remove-old.ts', 'rolldown.ts', 'start.ts', 'architecture.ts'], // parts of bundling
      ['programs.ts'], // every program that is started by itself, and where its bundle lies
      ['report-page.ts'], // the program of a report's page
      ['compiled.ts', 'make-bundles.ts'], // keeps the code that V8 compiled of a bundle; makes the bundles
      ['bundle.ts', 'build.ts'], // sees to it that there are bundles; compiles what a package has
      ['*'], // what npm and people start: commands, checks, the setup of Vitest
    ],
    outside: {
      'leakrig.ts': ['harness/cli/', 'cleanup/cli/index.ts'],
      'orchestrator.ts': ['harness/cli/'],
      'cleanup.ts': ['cleanup/cli/index.ts'],
      'schemas.ts': ['harness/report/json-schema.ts'],
      // The flags that keep a daemon small have to be set before it starts.
      'start-daemon.ts': ['cleanup/daemon/lean.ts'],
    },
  },
  {
    folder: 'cleanup',
    rows: [
      ['errors.ts', 'log.ts', 'programs.ts'], // failures, structured logs, finding programs
      ['platform'], // /proc, signals, locks, atomic writes
      ['registry'], // the workspace: its layout, its entries, how they are written
      ['tmux'], // what tmux servers, sessions and panes there are
      ['containment'], // what holds an agent's processes together: subreaper, cgroup
      ['claims'], // which process belongs to which agent, and the evidence
      ['liveness'], // whether an agent has ended
      ['reaper'], // ends one agent: plan, execute, archive
      ['sweep', 'retention', 'metrics'], // what is left over, what is too old, what there is
      ['daemon'], // watches agents and does all of the above in time
      ['service'], // systemd and launchd
      ['cli'], // the commands
      ['index.ts', 'orchestrator.ts', 'bin'], // the library, and the programs that it starts
    ],
    tests: ['test', 'bench'],
    outside: { 'test/': ['bin/programs.ts', 'test/'], 'bench/': ['bin/programs.ts'] },
  },
  {
    folder: 'fake-claude',
    rows: [
      ['own-file.ts', 'profiles.ts', 'personas/names.ts', 'shapes/shape.ts'], // what a directive can name
      ['cli'], // flags, prompt and directive, read and checked
      ['background'], // the service of `claude --bg`, and its client
      ['process/session'], // its files and its journal
      ['process/output'], // the events that it prints
      ['process/children'], // its Bash tools
      ['process/mcp'], // its MCP servers
      ['process/claude.ts'], // one running claude: all of the above
      ['process/ending'], // how it ends
      ['idle', 'shapes'], // the small shell that takes Node's place; the processes and files that it leaks
      ['personas'], // what it does from start to end
      ['interactive', 'subcommands.ts'], // its terminal; what it answers without a session
      ['run.ts'], // from the arguments to the last step
      ['main.ts'], // the program
    ],
    tests: ['test'],
    outside: { 'test/': ['bin/programs.ts', 'test/'] },
  },
  {
    folder: 'harness',
    rows: [
      ['errors.ts', 'escape-regexp.ts', 'json.ts', 'limit.ts', 'terminal.ts'], // what "could not measure" is, JSON as others write it, how long is long enough, what may be printed
      ['make-folder.ts', 'read-regular.ts'], // folders and files that a user names
      ['poll.ts'], // waits for something, within a limit
      ['definition'], // how a system under test is described, and checked
      ['orchestrator', 'snapshot'], // the system that is measured; what the probe sees
      ['probe'], // the rig's side inside the sandbox
      ['timeline'], // what happened in a sandbox, as its snapshots show it
      ['sandbox', 'verdict', 'soak'], // where a scenario runs; what is a leak and what is not; what grows with each agent
      ['reproduction'], // a scenario that is held open, and who looks at it
      ['report', 'systems'], // what people and machines read; how each system is started
      ['report/page'], // the program of a report's page, which runs in a browser
      ['rig'], // what a scenario drives: agents, bystanders, expectations
      ['catalogue'], // what only the catalogue needs: cells, endings, faults
      ['index.ts', 'library.ts', 'cli'], // what our scenarios import, and other people's; the commands
    ],
    tests: ['test', 'bench'],
    outside: {
      'orchestrator/': ['cleanup/index.ts', 'cleanup/orchestrator.ts'],
      'sandbox/': ['bin/programs.ts', 'bin/bundle.ts'],
      'systems/': ['bin/programs.ts'],
      'rig/': ['bin/programs.ts'],
      'report/': ['bin/programs.ts', 'bin/report-page.ts'],
      'report/page/': [],
      'cli/': ['bin/programs.ts'],
      'bench/': ['bin/programs.ts'],
      // Seeded defects are systems that are measured, like the orchestrator.
      'test/defects/': ['cleanup/index.ts', 'cleanup/orchestrator.ts', 'bin/', 'test/'],
      'test/': ['bin/', 'test/'],
    },
  },
  {
    folder: 'scenarios',
    rows: [
      ['catalogue', 'model', 'soak', 'reproduce', '*'], // five kinds of scenarios, which share the harness and nothing else
    ],
    outside: { '': ['harness/index.ts'] },
  },
]
