import { fillAll, fillShell } from '../definition/placeholders.ts'
import type { SystemUnderTest } from './system-under-test.ts'

/** How the agent's claude has to report that it has completed, as the JSON that the fake claude reads. */
export function insideCallText(rig: SystemUnderTest, values: Record<string, string>): string {
  const { inside } = rig.definition
  if (!inside) return '{}'
  const all = { ...rig.values, ...values }
  const call =
    'tool' in inside
      ? { tool: inside.tool, args: fillAll(inside.args, all) }
      : { run: fillShell(inside.run, all), env: fillAll(inside.env, all) }
  return JSON.stringify(call)
}
