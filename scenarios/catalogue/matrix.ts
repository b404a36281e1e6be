import {
  type Agent,
  type Directive,
  deployCell,
  type EndingName,
  endingNames,
  endings,
  expectCleanEnd,
  expectLeaks,
  inject,
  type Outlives,
  type Rig,
  type Trace,
  test,
  waitUntilClaudeEnded,
} from '../../harness/index.ts'

/** One row of the catalogue: what an agent leaks, crossed with every ending. */
export interface Shape {
  /** The name in the table; the shape of fake Claude, where the directive names no other. */
  name: string
  directive?: Partial<Directive>
  /** What of it is left where nobody cleans up: the rig has to find each, and to know whose it is. */
  traces: Trace[]
  /**
   * Whether that outlives its agent where nobody cleans up. Not asked for the completions: there nobody ends the
   * agent, and all of it stays.
   */
  outlives: Record<'killed' | 'crashed', Outlives>
  /** A fault that is there before anybody comes. */
  prepare?: (rig: Rig) => Promise<void>
  /** What the agent does before it ends, or what happens to it. */
  before?: (agent: Agent) => Promise<void>
  /** Marks what no cleanup can know to be the agent's; where it is left, the report says so. */
  ignore?: (rig: Rig) => Promise<void>
  /** Why the cell can not be run in this sandbox; undefined where it can. */
  objection?: (rig: Rig) => Promise<string | undefined>
  /** What the registries have to say after an ending, where it is not what they say of every agent. */
  statuses?: Partial<Record<EndingName, string>>
  /** All of them, where nothing else is said. */
  endings?: readonly EndingName[]
  /** A program that has to be there, and why; without it the cell is skipped, and says so. */
  needs?: { program: string; because: string }
}

/** A `test` of the harness, however much it was extended. */
type CellTest = (
  name: string,
  run: (fixtures: { rig: Rig; skip: (note: string) => never }) => unknown,
) => void

/**
 * One test a cell, named `<shape> × <ending>`, each beside all bystanders. `cell`: a `test` of the harness, where
 * the system is started in another way.
 */
export function matrix(shapes: Shape[], cellTest: CellTest = test): void {
  for (const shape of shapes)
    for (const ending of shape.endings ?? endingNames)
      cellTest(`${shape.name} × ${ending}`, async ({ rig, skip }) => {
        const { withoutCleanup } = inject('leakrig')
        const missing = shape.needs && !withoutCleanup && !(await rig.has(shape.needs.program))
        if (missing) skip(`no ${shape.needs?.program} in this sandbox: ${shape.needs?.because}`)
        const objection = await shape.objection?.(rig)
        if (objection) skip(objection)
        await shape.prepare?.(rig)
        const cell = await deployCell(rig, { shape: shape.directive ?? { shape: shape.name }, ending })
        await shape.before?.(cell.agent)
        if (!withoutCleanup) {
          await shape.ignore?.(rig)
          return expectCleanEnd(cell, ending, shape.statuses?.[ending])
        }
        await endings[ending].happens(cell.agent)
        const leftAlone = ending === 'killed' || ending === 'crashed'
        if (leftAlone) await waitUntilClaudeEnded(cell.agent)
        await expectLeaks(cell.agent, shape.traces, leftAlone ? shape.outlives[ending] : true)
      })
}
