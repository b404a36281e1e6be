import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import fc from '../../../../test/fast-check.ts'
import type { AgentRef } from '../../../index.ts'
import { layout } from '../../../orchestrator.ts'
import type { Victim } from './victim.ts'

const TASK = 'TASK-1'

/** Everything that a hostile agent writes into its workspace. */
export interface HostileInput {
  /** Entries of its task's registry. */
  agents: Record<string, unknown>[]
  /** Events of its stream log. */
  log: Record<string, unknown>[]
  /** Lines of the file of adopted children: `<pid> <start time>`. */
  adopted: string[]
  /** Files and folders that it replaces. `target` is what a link leads to. */
  replacements: { place: string; kind: ReplacementKind; target: string }[]
}

const REPLACEMENT_KINDS = [
  'link',
  'circle',
  'hard link',
  'FIFO',
  'folder',
  'closed folder',
  'endless',
  'device',
] as const
type ReplacementKind = (typeof REPLACEMENT_KINDS)[number]

/** Files and folders of the workspace that it may replace. */
const REPLACED_PATHS = [
  'registry',
  'registry/health.json',
  'registry/daemon.lock',
  'registry/GLOBAL_REGISTRY.json',
  'registry/retention.json',
  TASK,
  `${TASK}/AGENT_REGISTRY.json`,
  `${TASK}/AGENT_REGISTRY.json.next`,
  `${TASK}/AGENT_REGISTRY.json.lock`,
  `${TASK}/archive`,
  `${TASK}/logs`,
  `${TASK}/progress`,
  `${TASK}/findings`,
  `${TASK}/agent_prompt_a.txt`,
  `${TASK}/agent_prompt_unlisted.txt`,
  `${TASK}/agent_orphans_a.txt`,
  `${TASK}/logs/a_stream.jsonl`,
  `${TASK}/findings/a_findings.jsonl`,
  `${TASK}/archive/b_stream.jsonl`,
]

/** Paths that lead nowhere, which the kernel and Node refuse in different ways. */
const NOWHERE = [
  '/etc/passwd/x/y',
  '/proc/self/cwd/\0/x',
  `/${'x'.repeat(300)}/x`,
  `/${'x/'.repeat(2_500)}x`,
  '',
]

/** Generates hostile input against a victim. The agent knows all of the victim's paths and pids. */
export function hostileInputs(victim: Victim): fc.Arbitrary<HostileInput> {
  const processes = victim.witnesses.map(({ identity }) => identity)
  const servers = (['default', 'work'] as const).map(name => ({
    socket: victim.socket(name),
    place: victim.tmux(
      name,
      'display-message',
      '-p',
      '#{pid} #{session_id} #{session_created} #{pane_id} #{pane_pid}',
    ),
  }))
  const decoys = fc.constantFrom(...victim.decoys())
  const identity = fc.constantFrom(...processes)
  // Mostly something that is there: an entry with an impossible path is refused as a whole.
  const recorded = fc.oneof({ arbitrary: decoys, weight: 9 }, fc.constantFrom(...NOWHERE))
  const sessionIds = fc.constantFrom(
    victim.session,
    path.join('..', '..', '..', victim.home, '.ssh'),
    `../../..${victim.home}/.ssh`,
    '5f0c7a52-0000-4000-8000-000000000000',
    '.',
    '',
  )
  const tmux = fc
    .record({
      server: fc.constantFrom(...servers),
      pane: identity,
      hasForeignPane: fc.boolean(),
      isServerDead: fc.boolean(),
      nowhere: fc.oneof({ arbitrary: fc.constant(undefined), weight: 9 }, fc.constantFrom(...NOWHERE)),
    })
    .map(({ server, pane, hasForeignPane, isServerDead, nowhere }) => {
      const [pid = '', session_id = '', created, pane_id = '', pane_pid] = server.place.split(' ')
      const server_pid = isServerDead ? 4_000_000 : Number(pid)
      return {
        ...{
          socket: nowhere ?? server.socket,
          server_pid,
          ...(isServerDead ? { server_start: 1 } : { server_start: startOf(server_pid) }),
        },
        ...{ session_id, session_created: Number(created), pane_id },
        ...(hasForeignPane
          ? { pane_pid: pane.pid, pane_start: pane.start }
          : { pane_pid: Number(pane_pid), pane_start: startOf(Number(pane_pid)) }),
      }
    })
  const contained = fc.oneof(
    fc.record({ by: fc.constant('tini') }).chain(by => identity.map(one => ({ ...by, ...one }))),
    fc.constantFrom(...servers).map(({ place }) => {
      const pid = Number(place.split(' ')[0])
      return { by: 'tini', pid, start: startOf(pid) }
    }),
    recorded.map(file => ({ by: 'cgroup', path: file })),
  )
  const residue = fc.record({
    homes: fc.constantFrom([victim.home], [victim.home, ...NOWHERE]),
    bases: fc.constantFrom(['/tmp'], [victim.outside], [victim.home], NOWHERE),
    claudes: fc.array(identity, { maxLength: 2 }).map(all => all.map(({ pid }) => [pid, Date.now()])),
    files: fc.array(recorded, { maxLength: 4 }),
  })
  const agent = fc.record(
    {
      id: fc.constantFrom('a', 'b', '../x', '__proto__'),
      status: fc.constantFrom('completed', 'terminated', 'running', 'crashed', 'busy'),
      tmux_session: fc.constantFrom('agent_a', 'user', 'agent_notes', 'user:0', '%0', '$0', ''),
      started_at: fc.constantFrom(
        '1970-01-01T00:00:00Z',
        '2026-01-01T00:00:00Z',
        '2999-01-01T00:00:00Z',
        'x',
      ),
      tmux,
      contained,
      cleanup: fc.record({
        state: fc.constantFrom('pending', 'done'),
        since: fc.constant('2026-01-01T00:00:00Z'),
        reason: fc.constant('x'),
        residue,
      }),
      prompt_file: recorded,
      log_file: recorded,
      parent: fc.constantFrom('a', 'orchestrator'),
    },
    { requiredKeys: ['id', 'status'] },
  )
  const event = fc.oneof(
    fc.record({
      type: fc.constant('system'),
      subtype: fc.constant('init'),
      session_id: sessionIds,
      cwd: fc.constantFrom(path.join(victim.home, 'project'), victim.outside, '/', ...NOWHERE),
    }),
    fc.record({
      type: fc.constant('system'),
      subtype: fc.constant('task_started'),
      is_backgrounded: fc.boolean(),
      task_id: fc.constantFrom('b1', '../../started', '..'),
      session_id: sessionIds,
    }),
    fc.record({ type: fc.constant('result'), subtype: fc.constant('success'), session_id: sessionIds }),
  )
  return fc.record({
    agents: fc.array(agent, { minLength: 1, maxLength: 3 }),
    log: fc.array(event, { maxLength: 4 }),
    adopted: fc.array(
      identity.map(({ pid, start }) => `${pid} ${start}`),
      { maxLength: 3 },
    ),
    replacements: fc.array(
      fc.record({
        place: fc.constantFrom(...REPLACED_PATHS),
        kind: fc.constantFrom(...REPLACEMENT_KINDS),
        target: decoys,
      }),
      { maxLength: 2 },
    ),
  })
}

/** Another agent of the same workspace, which writes nothing hostile and has left a process behind. */
export const honestAgent = ({ workspace }: Victim): AgentRef => ({
  workspace,
  taskId: 'TASK-2',
  agentId: 'honest',
})

/** Writes the input into a new workspace that belongs to the victim, beside an honest agent that has ended. */
export function writeHostileWorkspace(
  victim: Victim,
  { agents, log, adopted, replacements }: HostileInput,
): void {
  const { workspace, uid } = victim
  fs.rmSync(workspace, { recursive: true, force: true })
  const ref = { workspace, taskId: TASK, agentId: 'a' }
  const { taskId, agentId } = honestAgent(victim)
  const folders = [TASK, taskId].flatMap(task => layout.taskFolders(workspace, task))
  for (const folder of [...folders, path.join(workspace, 'registry')])
    fs.mkdirSync(folder, { recursive: true })
  const left = { task_id: taskId, agents: [{ id: agentId, status: 'completed' }] }
  fs.writeFileSync(layout.taskRegistry(workspace, taskId), JSON.stringify(left))
  fs.writeFileSync(layout.taskRegistry(workspace, TASK), JSON.stringify({ task_id: TASK, agents }))
  const global = Object.fromEntries(agents.map(agent => [agent.id, { ...agent, task_id: TASK }]))
  fs.writeFileSync(layout.globalRegistry(workspace), JSON.stringify({ tasks: {}, agents: global }))
  fs.writeFileSync(layout.streamLog(ref), log.map(event => `${JSON.stringify(event)}\n`).join(''))
  fs.writeFileSync(layout.adoptedChildrenFile(ref), adopted.map(line => `${line}\n`).join(''))
  fs.writeFileSync(layout.promptFile(ref), 'a prompt\n')
  for (const { place, kind, target } of replacements) replace(path.join(workspace, place), kind, target)
  fs.lchownSync(workspace, uid, uid)
  for (const name of fs.readdirSync(workspace, { recursive: true, encoding: 'utf8' })) {
    const file = path.join(workspace, name)
    if (fs.lstatSync(file).nlink === 1 || fs.lstatSync(file).isDirectory()) fs.lchownSync(file, uid, uid)
  }
}

function replace(file: string, kind: ReplacementKind, target: string): void {
  if (!isOwnFolder(path.dirname(file))) return
  fs.rmSync(file, { recursive: true, force: true })
  if (kind === 'link') fs.symlinkSync(target, file)
  else if (kind === 'circle') fs.symlinkSync(path.basename(file), file)
  else if (kind === 'hard link') {
    if (fs.lstatSync(target).isFile()) fs.linkSync(target, file)
  } else if (kind === 'FIFO') spawnSync('mkfifo', [file])
  else if (kind === 'folder') fs.mkdirSync(file)
  else if (kind === 'closed folder') fs.mkdirSync(file, 0)
  else if (kind === 'device') fs.symlinkSync('/dev/zero', file)
  else {
    fs.writeFileSync(file, '{')
    fs.truncateSync(file, 2 ** 40)
  }
}

/** False if another replacement has taken the place of a parent folder: with a link that leads outside, or with a file. */
function isOwnFolder(folder: string): boolean {
  try {
    return fs.realpathSync(folder) === folder && fs.statSync(folder).isDirectory()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return false
    throw error
  }
}

const startOf = (pid: number): number =>
  Number(fs.readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ')[19])
