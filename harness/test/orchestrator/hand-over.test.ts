import { expect } from 'vitest'
import { needsNamespaces } from '../../../test/namespaces.ts'
import { reportWorkspace } from '../../catalogue/report-workspace.ts'
import { expect as expectRig } from '../../index.ts'
import type { Agent } from '../../rig/agent.ts'
import { test } from '../../rig/fixtures.ts'
import { ownSystem } from '../../systems/systems.ts'

needsNamespaces()

// `immediate` hands over to a process outside. With `hybrid` a daemon may begin before that process has started.
for (const [system, count, tags] of [
  ['immediate', 3, []],
  ['hybrid', 3, []],
  ['immediate', 10, ['long']],
  ['hybrid', 10, ['long']],
] as const) {
  const withSystem = test.extend('system', () => ownSystem(system))

  withSystem(
    `${system}: ${count} that complete at once each get the answer before they are ended`,
    { tags: [...tags] },
    async ({ rig }) => {
      const agents = await Promise.all(
        Array.from({ length: count }, () => rig.deploy({ persona: 'completes' })),
      )
      await Promise.all(agents.map(agent => agent.reportsCompleted()))
      await expectRig(rig).toReturnToBaseline()
      await expectRig(agents).toHaveArchivedLogs()
      for (const agent of agents)
        expect(await answers(agent), agent.id).toMatchObject([
          { success: true, cleanup: { outcome: 'handed-over', problems: [] } },
        ])
    },
  )
}

/** The system's answers to `completed`, from the agent's archived log. */
async function answers({ rig, id }: Agent): Promise<unknown[]> {
  const text = (await rig.probe.read(`${reportWorkspace(rig).archive}/${id}_stream.jsonl`)) ?? ''
  const lines = text.split('\n').slice(0, -1)
  const parts = lines.flatMap(line => JSON.parse(line).message?.content ?? [])
  const call = parts.find(({ type, input }) => type === 'tool_use' && input.status === 'completed')
  const results = parts.filter(part => part.type === 'tool_result' && part.tool_use_id === call?.id)
  return results.map(({ content }) => (content.startsWith('{') ? JSON.parse(content) : content))
}
