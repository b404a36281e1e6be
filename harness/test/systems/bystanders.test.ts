import { expect } from 'vitest'
import { AllBystanders } from '../../catalogue/all-bystanders.ts'
import { test } from '../../rig/fixtures.ts'
import { planned, shellSystem } from '../support/planned.ts'

test.extend('system', () => planned(shellSystem))(
  'no PATH finds the stand-in for a user’s claude in place of the fake one',
  async ({ rig }) => {
    await new AllBystanders(rig).plant()
    const usual = 'PATH=$HOME/bin:$PATH; command -v claude'
    const { stdout } = await rig.probe.run(['bash', '-c', usual])
    expect(stdout.trim()).toBe('/opt/leakrig/bin/claude')
  },
)
