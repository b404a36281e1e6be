import { expect } from 'vitest'
import { deployCell } from '../../catalogue/cell.ts'
import type { ShellCall } from '../../definition/definition.ts'
import { expect as expectRig } from '../../index.ts'
import { test } from '../../rig/fixtures.ts'
import { planned, shellSystem } from '../support/planned.ts'

/** Beside each agent's pane runs a helper that the system starts itself, and that no trace leads from to the agent. */
const withHelper = (kill: string) =>
  test.extend('system', () =>
    planned({
      ...shellSystem,
      deploy: [
        shellSystem.deploy as ShellCall,
        {
          run: 'env -i setsid sleep 86399 >/dev/null 2>&1 & echo helper $!',
          result: /helper (?<helper>\d+)/,
        },
      ],
      kill: { run: kill },
    }),
  )

const killSession = 'tmux kill-session -t ={session}:'

withHelper(`${killSession}; kill {helper}`)(
  'a helper that ends with its agent is no loss of a bystander in a cell of the catalogue',
  async ({ rig }) => {
    const { agent } = await deployCell(rig, { shape: {}, ending: 'killed' })
    await agent.isKilled()
    await rig.settle()
    const { collateral } = rig.verdicts[0] ?? {}
    expect(collateral?.map(({ what }) => what)).toEqual([])
  },
)

withHelper(killSession)('a helper that outlives its agent is a leak there', async ({ rig }) => {
  const { agent } = await deployCell(rig, { shape: {}, ending: 'killed' })
  await agent.isKilled()
  await expect(expectRig(rig).toReturnToBaseline()).rejects.toThrow(/1 leak .*\n.*sleep 86399/)
})
