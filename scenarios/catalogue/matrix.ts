import {
  type Agent,
  type BystanderServer,
  type Directive,
  deployCell,
  type EndingName,
  endingNames,
  endings,
  expectCleanEnd,
  expectLeaks,
  type Need,
  needing,
  type Outlives,
  type Rig,
  type RigTest,
  settings,
  type Trace,
  test,
  waitUntilClaudeEnded,
} from '../../harness/index.ts'

/** One row of the catalogue: what an agent leaks, crossed with every ending. */
export interface Shape {
  /** The name in the table, and the shape of the fake claude unless the directive names another one. */
  name: string
  directive?: Partial<Directive>
  /** What is left when nobody cleans up. The rig has to find all of it and attribute it to the agent. */
  traces: Trace[]
  /**
   * Whether that outlives its agent when nobody cleans up. A completion needs an entry only where claude then ends by
   * itself: otherwise nobody ends the agent, and everything stays. `undefined` where a kill does not end it either.
   */
  outlives: Record<'killed' | 'crashed', Outlives | undefined> & {
    [ending in EndingName]?: Outlives | undefined
  }
  /** The server of the user's sessions; `shared`, with a neighbour agent, by default. */
  server?: BystanderServer
  /** A fault that is there before any bystander and any agent. */
  prepare?: (rig: Rig) => Promise<void>
  /** What the agent does, or what happens to it, before it ends. */
  before?: (agent: Agent) => Promise<void>
  /** What has to be true once it is cleaned up, besides the baseline. */
  after?: (agent: Agent) => Promise<void>
  /** Ignores what no cleanup can attribute to the agent; the report prints what is left of it. */
  ignore?: (rig: Rig) => Promise<void>
  /** Why the cell cannot run in this sandbox; undefined where it can. */
  objection?: (rig: Rig) => Promise<string | undefined>
  /** The status in the registries after an ending, where it differs from that of other agents. */
  statuses?: Partial<Record<EndingName, Parameters<typeof expectCleanEnd>[2]>>
  /** All endings by default. */
  endings?: readonly EndingName[]
  /** What the system has to declare besides what the ending needs. */
  system?: readonly Need[]
  /** A program that has to be there, and why. Without it the cell is skipped with that reason. */
  needs?: { program: string; because: string }
}

/**
 * Makes one test for each cell, named `<shape> × <ending>`, with all bystanders.
 * @param cellTest a `test` of the harness that starts the system in another way
 */
export function matrix(shapes: Shape[], cellTest: RigTest = test): void {
  for (const shape of shapes)
    for (const ending of shape.endings ?? endingNames) {
      const name = `${shape.name} × ${ending}`
      const needs = [...endings[ending].needs, ...(shape.system ?? [])]
      needing(needs, cellTest)(name, async ({ rig, skip }) => {
        const { withoutCleanup } = settings()
        const missing = shape.needs && !withoutCleanup && !(await rig.has(shape.needs.program))
        if (missing) skip(`no ${shape.needs?.program} in this sandbox: ${shape.needs?.because}`)
        const objection = await shape.objection?.(rig)
        if (objection) skip(objection)
        await shape.prepare?.(rig)
        const directive = shape.directive ?? { shape: shape.name }
        const cell = await deployCell(rig, { shape: directive, ending }, shape.server)
        await shape.before?.(cell.agent)
        if (!withoutCleanup) {
          await shape.ignore?.(rig)
          await expectCleanEnd(cell, ending, shape.statuses?.[ending])
          return shape.after?.(cell.agent)
        }
        await endings[ending].happens(cell.agent)
        const outlives = shape.outlives[ending]
        if (outlives !== undefined) await waitUntilClaudeEnded(cell.agent)
        await expectLeaks(cell.agent, shape.traces, outlives ?? true)
      })
    }
}
