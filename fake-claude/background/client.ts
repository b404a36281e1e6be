import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Flags } from '../cli/flags.ts'
import { refuse } from '../cli/refuse.ts'
import { ownFile } from '../own-file.ts'

/** How long the client waits for a service that it has started, ms. */
const READY_WITHIN_MS = 30_000

const config = join(homedir(), '.claude')

/** `claude --bg <prompt>`: hands the session to the background service of this user, and starts one if none runs. */
export async function startInBackground({ prompt = '', sessionId = randomUUID() }: Flags): Promise<void> {
  const id = sessionId.slice(0, 8)
  const launchedBy = process.env.CLAUDE_CODE_SESSION_ID ?? ''
  const request = ['dispatch', id, sessionId, process.cwd(), launchedBy, prompt]
  const answer = (await ask(request)) ?? (await startService(request))
  if (answer !== 'ok') refuse(`Error: the background service could not be reached: ${answer}`)
  console.log(`backgrounded · ${id}\n  claude logs ${id}\n  claude stop ${id}`)
}

/** The subcommands that work on background sessions, by name. */
export const subcommands: Record<string, (argument: string) => Promise<void>> = {
  async stop(id) {
    if ((await ask(['stop', id])) !== 'ok') refuse(`Error: no background session ${id}`)
    console.log(`stopped ${id}`)
  },
  async agents() {
    console.log(JSON.stringify(jobs(), null, 2))
  },
  async logs(id) {
    const job = jobs().find(one => one.id === id) ?? refuse(`Error: no background session ${id}`)
    console.log(`${id} ${job.state}`)
  },
}

interface Job {
  id: string
  pid?: number
  cwd: string
  kind: 'background'
  sessionId: string
  state: string
}

/** By the files alone, as the real one: after a KILL of its claude a session still shows as `working`. */
function jobs(): Job[] {
  const { workers = {} } = readJson<{ workers?: Record<string, { replPid: number }> }>('daemon/roster.json')
  return list(join(config, 'jobs')).flatMap(id => {
    const { state, cwd, sessionId } = readJson<Partial<Job>>(`jobs/${id}/state.json`)
    if (state === undefined || state === 'stopped') return []
    const pid = workers[id]?.replPid
    return [{ ...(pid && { pid }), id, cwd, kind: 'background', sessionId, state } as Job]
  })
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function readJson<T>(name: string): T {
  try {
    return JSON.parse(readFileSync(join(config, name), 'utf8'))
  } catch {
    return {} as T
  }
}

async function startService(request: string[]): Promise<string> {
  const spawnedBy = JSON.stringify({ label: 'claude --bg', cwd: process.cwd(), pid: process.pid })
  const command = [
    ownFile('background/supervisor.pl'),
    'daemon',
    'run',
    '--origin',
    'transient',
    '--spawned-by',
    spawnedBy,
  ]
  const child = spawn('perl', command, {
    argv0: 'claude',
    cwd: homedir(),
    env: serviceEnvironment(),
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  child.stdin.end(`${folder()}\n${config}\n`)
  child.unref()
  console.log('Starting background service…')
  for (const deadline = Date.now() + READY_WITHIN_MS; Date.now() < deadline; await sleep(20)) {
    const answer = await ask(request)
    if (answer !== undefined) return answer
  }
  return `it was not ready within ${READY_WITHIN_MS} ms`
}

/** The service keeps the environment of whoever started it, but for what names a session. */
function serviceEnvironment(): NodeJS.ProcessEnv {
  const {
    CLAUDECODE,
    CLAUDE_CODE_SESSION_ID,
    CLAUDE_CODE_CHILD_SESSION,
    CLAUDE_CODE_MESSAGING_SOCKET,
    ...kept
  } = process.env
  return { ...kept, INVOCATION_ID: '' }
}

/** The folder of the service's sockets: one for each configuration folder. */
function folder(): string {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(config)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  const base = process.env.CLAUDE_CODE_TMPDIR || '/tmp'
  return join(base, `cc-daemon-${process.getuid?.()}`, hash.toString(16).padStart(8, '0'))
}

/** The service's answer; undefined when none can be reached. */
function ask(values: string[]): Promise<string | undefined> {
  const line = values.map(value => value.replaceAll(/[\t\n]/g, ' ')).join('\t')
  return new Promise(done => {
    let answer = ''
    const peer = connect(join(folder(), 'control.sock'), () => peer.write(`${line}\n`))
    peer.on('data', chunk => {
      answer += chunk
    })
    peer.on('error', () => done(undefined))
    peer.on('close', () => done(answer.trim() || undefined))
  })
}
