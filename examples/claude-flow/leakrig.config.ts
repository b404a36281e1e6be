import { setTimeout } from 'node:timers/promises'
import { defineSystem, type Given } from 'leakrig/config'

const packageName = '@claude-flow/cli'
const file = `node_modules/${packageName}/dist/src/services/headless-worker-executor.js`

/** What is used here of its executor. */
interface Executor {
  execute(type: string, config: object): Promise<{ success: boolean; error?: string }>
  cancel(id: string): boolean
  getActiveChildPids(): number[]
  once(event: 'start', listener: (started: { executionId: string }) => void): void
  on(event: 'error', listener: () => void): void
}

let made: Promise<Executor> | undefined

/** The one executor of this process. */
const executor = (install: string, project: string): Promise<Executor> => {
  made ??= import(`${install}/${file}`).then(({ HeadlessWorkerExecutor }) => {
    const one: Executor = new HeadlessWorkerExecutor(project, { maxConcurrent: 20 })
    one.on('error', () => {}) // Without a listener, an error would end the process.
    return one
  })
  return made
}

/** What its user awaits of each agent: it is there once claude has ended, and nobody writes to its output any more. */
const results = new Map<string, ReturnType<Executor['execute']>>()

async function deploy({ prompt, install = '', work = '' }: Given): Promise<object> {
  const workers = await executor(install, work)
  const before = workers.getActiveChildPids()
  const started = new Promise<string>(resolve =>
    workers.once('start', ({ executionId }) => resolve(executionId)),
  )
  const config = { promptTemplate: prompt, contextPatterns: [], timeoutMs: 3_600_000 }
  const result = workers.execute('refactor', config)
  const id = await started
  results.set(id, result)
  for (;;) {
    const pid = workers.getActiveChildPids().find(one => !before.includes(one))
    if (pid !== undefined) return { id, pid }
    await setTimeout(10)
  }
}
let deployed: Promise<object> = Promise.resolve({})

/** A library that starts claude as a child process, without tmux. */
export default defineSystem({
  name: packageName,
  install: {
    run: `npm install --prefix "$LEAKRIG_INSTALL" --ignore-scripts --omit=optional ${packageName}@3.42.5`,
  },
  tmux: false,
  // Its defaults allow one worker at a time, and twelve a day.
  env: { RUFLO_AI_MAX_CONCURRENT: '50', RUFLO_AI_MAX_PER_HOUR: '1000', RUFLO_AI_MAX_PER_DAY: '1000' },
  deploy(given) {
    // One after another: the event that an agent has started does not say which.
    deployed = deployed.catch(() => {}).then(() => deploy(given))
    return deployed
  },
  completes: {
    async exit({ id = '' }) {
      const { success, error } = (await results.get(id)) ?? { success: false }
      return { success, error }
    },
  },
  async kill({ id = '', install = '', work = '' }) {
    return { success: (await executor(install, work)).cancel(id) }
  },
  keeps: [
    { path: /\/\.claude-flow\/logs\/headless\/[^/]+\.log$/, why: 'prompts and results are logged' },
    { path: /\/\.claude-flow\/ai-(budget|jobs)[^/]*$/, why: 'the budget of all workers of this user' },
  ],
})
