import { type Agent, expect, poll, type Rig, scenario } from '../../harness/index.ts'

/** How many of each the report found. */
const found = { sessions: 4, claudes: 54, prompts: 78, logs: 38 }

/** How many agents are deployed at once. */
const atOnce = 6

/** Claudes that an agent starts in sessions of their own, and how many agents do that: the rest of the report's 54. */
const helpers = 5
const withHelpers = (found.claudes - found.sessions) / helpers

/**
 * `leakrig reproduce report`: the report's evidence, by the ways in which its system leaks. A completion ends nothing, so
 * the agents that complete keep their sessions. A kill ends the session alone: prompts and logs stay, and so does every
 * claude that an agent had started in a session of its own. The report does not say why it found fewer logs than prompts;
 * here a user has removed the oldest ones by hand.
 */
scenario('the evidence of the report', ['completion', 'kill', 'report workspace'], async ({ rig }) => {
  const script = await helperScript(rig)
  const killed = found.prompts - found.sessions
  await inBatches(killed, async number => {
    const isHelped = number < withHelpers
    const agent = await rig.deploy({ persona: 'idles', ...(isHelped && { 'on-start': script }) })
    if (isHelped)
      await poll(30_000, async () => ((await claudesOf(rig, agent.id)) >= helpers ? true : undefined))
    await agent.isKilled()
  })
  await removeOldest(rig, found.prompts - found.logs)
  // The system writes its registry without a lock: what is written at once may be lost, and then a cleanup takes an agent that
  // has completed for a living one.
  const completing: Agent[] = []
  while (completing.length < found.sessions) completing.push(await rig.deploy({ persona: 'completes' }))
  for (const [at, agent] of completing.entries()) {
    await agent.completes()
    await poll(30_000, async () => ((await recordedCompletions(rig)) > at ? true : undefined))
  }
  await expect(rig).toReturnToBaseline()
})

async function inBatches(count: number, act: (number: number) => Promise<void>): Promise<void> {
  for (let first = 0; first < count; first += atOnce) {
    const length = Math.min(atOnce, count - first)
    await Promise.all(Array.from({ length }, (_, at) => act(first + at)))
  }
}

/** What an agent runs as it starts: claudes that work for it, each in a session of its own. */
async function helperScript({ probe, places }: Rig): Promise<string> {
  const file = `${places.own}/helpers.sh`
  const start = "setsid -f claude --print 'Help. [[fake-claude persona=idles]]' >/dev/null 2>&1 </dev/null"
  await probe.write(file, `for number in $(seq ${helpers}); do ${start}; done\n`)
  return file
}

async function claudesOf(rig: Rig, agent: string): Promise<number> {
  const { resources } = await rig.snapshot()
  return resources.filter(
    one => one.kind === 'process' && one.comm === 'claude' && one.owner?.agent === agent && one.rss < 10e6,
  ).length
}

async function removeOldest({ probe, places }: Rig, count: number): Promise<void> {
  const logs = `${places.work}/.agent-workspace/*/logs/*_stream.jsonl`
  await probe.run(['sh', '-c', `ls -tr ${logs} | head -n ${count} | xargs rm`])
}

async function recordedCompletions({ probe, places }: Rig): Promise<number> {
  const registries = `${places.work}/.agent-workspace/*/AGENT_REGISTRY.json`
  const { stdout } = await probe.run(['sh', '-c', `grep -ho '"status": "completed"' ${registries} | wc -l`])
  return Number(stdout)
}
